"""A small Functions host for one machine.

It drives the genuine worker library (azure-functions-runtime) over an app folder and does for queue, timer
and HTTP triggers what the real host does (https://github.com/Azure/azure-functions-host and the extensions it
loads).

What it leaves out: every other trigger and binding, retry policies, functionTimeout, scaling and the locks
between instances, key storage, Easy Auth, the log filters of host.json and the 230 second limit of the App
Service front end.
"""
