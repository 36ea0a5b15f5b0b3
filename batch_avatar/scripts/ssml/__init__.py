"""SSML as the service takes it: is it well formed, does each element stand where it may, and mean its attributes much.

Knows: XML in the words of people who write it, the elements of the service's reference, and the gestures of the
catalogue. Must not know: files and tables; a finding counts lines from the beginning of the text. Begin with
`check.py`; a new element or attribute goes into `grammar.py`. The emulator has a check of its own, and neither knows
the other.
"""
