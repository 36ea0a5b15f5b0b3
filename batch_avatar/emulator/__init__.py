"""The batch avatar service on this machine, with real videos. It imports nothing of the client.

So it cannot agree with the client's mistakes. Its rooms, from the top; each imports only from those below it:

- `web`: what answers HTTP, and faults on the way.
- `service`: what the service knows: its jobs, its allowance, its counts.
- `storage`: where outputs lie, and the storage emulator.
- `jobs`: one job: what was asked, whether that is valid, and what becomes of it. Pure.
- `media`: clips that play.

The modules of this folder are its ground. `options.py` has every switch; begin with `service/operations.py`.
"""
