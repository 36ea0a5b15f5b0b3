"""What knows Prefect: tasks around the steps of the core, fan-out over child runs, and what a flow run shows.

Options of tasks are set in `steps.py` and nowhere else; the numbers of retries come from `rendering/retry.py`. What a
task does is one call of a function in `batch_avatar`. The Prefect server is asked through `asking.py` only, which
believes nothing that does not answer what was asked.
Begin with `rendering.py` (a batch as task runs), then `shards.py` (a batch over several runs).
"""
