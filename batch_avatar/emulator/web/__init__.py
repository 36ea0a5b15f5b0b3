"""What answers HTTP: the routes of both generations, access, faults on demand, and the server.

Knows: paths, status codes, headers and bodies. Must not know: what becomes of a job, that is `service/operations.py`.
Begin with `app.py`, then `gate.py`, which every request passes first.
"""
