"""The Azure Speech service: its API over HTTP, and waiting at it.

Knows: both generations of the API (`wire/`), credentials, what an answer means, who may create when (`admission.py`),
and when a job has ended (`watcher.py`). Must not know: scripts as people bring them, the archive, or what should be
rendered. Begin with `client.py`, then `watcher.py`, the only loop that waits for jobs.
"""
