from hypothesis import settings

settings.register_profile("domain", deadline=None)  # how fast the machine is says nothing about the code
settings.load_profile("domain")
