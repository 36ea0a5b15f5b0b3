"""Scripts that are dropped into a container as blobs: taken, rendered, and moved to `processed/` or `rejected/`.

Knows: which drops are ready, why one is refused, and what becomes of it. Must not know: how a script is rendered (it
gives waves of scripts to `rendering/runner.py`) or how blobs are moved (`archive/inbox_container.py`). Begin with
`run.py`; every decision is in `intake.py`, which is pure.
"""
