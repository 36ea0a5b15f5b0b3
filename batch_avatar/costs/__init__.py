"""What videos have cost: sums over the receipts of an archive, by day, resource, avatar, voice, folder or column.

Knows: the metadata that one listing of the archive shows, and prices. Must not know: how anything is rendered. Begin
with `facts.py`.
"""
