"""What a run would do, before it does anything: read service and archive, decide, and say what it will take.

Knows: how service and archive are read for a plan. Must not know: how a create is sent. `batch-avatar plan`, the first
artifact of a flow run and the run itself use `preparation.py`, so that they cannot differ. Begin there.
"""
