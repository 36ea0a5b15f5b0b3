"""What documents leave open, asked of a real Speech resource with one clip of about two seconds.

Knows: the API over HTTP, requests that a run never sends, and what their answers mean. Must not know: scripts of
people, or the archive. Begin with `questions.py`, then `run.py`.
"""
