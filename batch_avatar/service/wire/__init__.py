"""What goes over the wire, one module for each generation of the API: pure encode and decode.

Knows: paths, members, error bodies and summaries, as documented or seen. Must not know: sessions, retries or clocks.
Begin with `generations.py`; a new generation is a new module beside `avatar_2024.py`.
"""
