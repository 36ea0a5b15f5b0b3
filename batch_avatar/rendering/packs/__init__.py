"""Several scripts as the inputs of one job: sending it, walking through it together, and deleting it.

Knows: who the members of a pack are and when all of them are settled. Must not know: which scripts fit together, that
is `planning/packing.py`. Begin with `submission.py`.
"""
