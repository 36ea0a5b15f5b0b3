"""The command line: `batch-avatar` and all that a person sees in a terminal.

Knows: commands, options, exit codes, signals, tables and live progress. Must not know: how anything is decided or
done; a command reads its options, calls one function of a room below, and shows what comes back. It starts without
Prefect, and imports a flow only when a flow run is wanted. Begin with `cli.py`, then `render.py`.
"""
