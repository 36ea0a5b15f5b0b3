"""A run: it plans, submits, waits, archives, deletes, and reports on every script.

Knows: connections and how they are opened, the state of a run, the four steps of a script and in which order they are
taken. Must not know: Prefect (the flow engine wraps `stages.py` from outside), people, or what may be sent again (that
is `planning/decision.py`). Only `connect.py` chooses implementations.

Begin with `runner.py` (a batch), then `walk.py` (one script through its attempts), then `stages.py` (the four steps):
`submission.py` with `claims.py`, the wait in `service/watcher.py`, `archiving.py` with `outputs.py` (video, summary,
subtitles), and the delete. `retry.py` says how often each step is retried, with Prefect and without.
"""
