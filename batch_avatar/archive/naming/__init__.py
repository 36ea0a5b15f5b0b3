"""Names of blobs in the archive: what a name says, which blobs are a script's own, and which are of another archive.

Knows: how names are put together. Must not know: what is in a blob. Begin with `names.py`; `inner.py` finds archives
that lie in a folder of this one, `own_blobs.py` lists the blobs of single scripts.
"""
