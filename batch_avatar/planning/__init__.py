"""What is missing, what may be sent again, in which order, and in which packs. All of it pure.

Knows: jobs, claims, receipts and scripts as values, and the rules of "never twice, never lost". Must not know: HTTP,
storage, clocks or threads; nothing here waits or asks. Begin with `reconciliation.py` (scripts against jobs and
archive) with `changes.py` and `lengths.py` (what is not rendered unasked), then `decision.py`, the only place that
decides whether a create may be sent again.
"""
