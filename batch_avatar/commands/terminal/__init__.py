"""What all commands share: options, exit codes and signals, consoles that never fail, and tables for people.

Knows: click, rich, and how a value of a run is shown. Must not know: any command. Begin with `running.py` (how a
command ends) and `options.py`, then `console.py`.
"""
