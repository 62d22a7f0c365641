"""What people define: connections, exports, and the segments they choose from.

`manage` saves and deletes, `access` says who may, `resolve` loads what a run needs, `check` tries a connection.
"""
