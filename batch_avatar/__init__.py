"""Render many scripts to talking-avatar videos, archive them, and never pay twice.

The core works without Prefect. Its rooms, from the top; a room imports only from rooms below it:

- `commands`: the command line and what a person sees in a terminal.
- `inbox`: scripts that are dropped as blobs. `upkeep`: cleaning up after runs, and replaying
  failed scripts.
- `rendering`: a run, from its plan to its report.
- `planning`: what is missing, what may be sent, in which order and in which packs. Pure.
- `archive`: the user's container.
- `scripts`: what people bring, and how it is read and checked.
- `service`: the Azure API, and waiting at it.
- `safe_text`, below the ground: what leaves us as text, without secrets, hidden signs and endless lengths.
- `catalog`, beside it: what the service offers, as dated data.

The modules of this folder are the ground below all rooms: values, ids, errors, the clock, and settings (only
`settings.py` reads the environment). `emulator` is the service itself on this machine; it imports nothing of the rest.
Begin with `rendering/runner.py`.
"""
