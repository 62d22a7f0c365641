"""The demo: the main job on this machine, told step by step."""
