"""The fault suite: the app on the local cloud, while everything around it fails; `python -m local.faults`."""
