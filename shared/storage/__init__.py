"""Where everything rests: blobs and queues, documents with ETags, and the names of all blobs.

`interfaces` says what the app needs of a store; `azure` does it; `documents` reads and writes JSON with ETags;
`heartbeat` tells which processes are alive.
"""
