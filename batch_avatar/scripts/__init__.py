"""What people bring: folders, manifests and SSML, read and checked before anything is sent.

Knows: file formats, faults with file and line, which properties go together, and how long a script will speak. Must
not know: the archive, or whether a script was rendered before. Begin with `manifest.py`; a new check goes into
`rules.py`, one of the text alone into `content`, and its rule into `findings.py`. Which files of a folder are scripts,
and under which ids, is decided in `folders.py`.
"""
