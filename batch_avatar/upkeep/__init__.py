"""Clean up after runs that died, and send again what failed for good.

Knows: which remote jobs can be archived or deleted safely, and which dead letters still count. Must not know: how to
create a job; replaying goes through `rendering/runner.py` like any run. Begin with `sweep.py`.
"""
