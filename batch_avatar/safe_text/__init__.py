"""Text that leaves us: without secrets, without hidden signs, and never too long.

Knows: secrets, by value and by how they are written, characters that steer a terminal or a page, and lengths. Must not
know: what a text is about. Every text from outside passes `foreign` where it is read, and every sink has one function
in `sinks.py`. Begin there; `redaction.py` knows secrets by value, `spellings.py` finds them by how they are written.
"""
