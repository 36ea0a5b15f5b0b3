"""Folders of scripts: which files are read, under which ids, and what is named as left out. Begin at `walk`.

It reads names and patterns, never the text of a script.
"""
