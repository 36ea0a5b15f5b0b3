"""Which voices a region has: asked of the region itself, and kept in the user's cache for plans and checks.

Knows: the region's list of voices, which key opens it, and the files that keep it. Must not know: which voice a script
wants. Begin with `asking.py`; plans and checks read `kept.py` only, which never asks.
"""
