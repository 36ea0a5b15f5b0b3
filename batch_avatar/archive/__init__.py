"""The user's container, the only ledger: claims, receipts, dead letters, videos, and the blobs beside them.

Knows: Blob Storage, names and metadata of our blobs, conditional writes, transfers with their digests, signed links.
Must not know: which script is due, or what a job is waiting for. Begin with `ledger.py` (what is read and written) and
`records.py` (what lies there), then `transfer.py` (how a video arrives, counted and hashed). Before an archive opens,
`identity_check.py` and `write_once.py` see whether it can be trusted. How names are read is known to `naming`. What the
storage's refusals mean stands in `storage_answers.py`, what metadata may hold in `metadata.py`. `receipt_files.py`
reads back what a receipt names, for `check.py` and `fetch.py`.
"""
