from hypothesis import settings

settings.register_profile("thorough", deadline=None)  # how fast the machine is says nothing about the code
settings.register_profile("quick", deadline=None, max_examples=10)
settings.register_profile("fuzz", deadline=None, max_examples=1_000)
settings.load_profile("thorough")
