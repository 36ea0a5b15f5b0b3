"""What the service knows: which jobs exist, how many may be created, and what it has seen so far.

Knows: every operation as a method that returns or raises `ApiError`. Must not know: HTTP, or how a video is made.
Begin with `operations.py`.
"""
