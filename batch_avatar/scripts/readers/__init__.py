"""What people bring, one module a form: bytes in, drafts and findings out, each with its place.

A reader knows one form of file, and nothing of settings, defaults, archive or service. Begin at `kinds`: it says which
ending is read by which reader. `draft` has the interface.
"""
