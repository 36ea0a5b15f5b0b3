"""What the service offers, as dated data: avatars, styles, gestures, regions, and its limits.

Knows: the files in `data/`, in which every entry has its source, the date of that source, and the month of withdrawal
where it ends. Must not know: scripts, or what follows from an entry. What is not in the files is unknown, not wrong:
the service grows faster than they do. Begin with `avatars.py`; a fact of the service that changes is changed in
`data/`.
"""
