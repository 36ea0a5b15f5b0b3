"""The user's container, the only ledger: claims, receipts, dead letters, videos, and the blobs beside them.

Knows: Blob Storage, names and metadata of our blobs, conditional writes, transfers with their digests, signed links.
Must not know: which script is due, or what a job is waiting for. Begin with `ledger.py` (what is read and written) and
`records.py` (what lies there), then `transfer.py` (how a video arrives, counted and
hashed). `receipt_files.py` reads back what a receipt names, for `check.py` and `fetch.py`.
"""
