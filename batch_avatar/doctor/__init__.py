"""Whether everything is in place to render: each check says what it found, and how to mend it.

Knows: settings, sign-in, service, storage and a Prefect API over HTTP. Must not know: scripts of people, or how a batch
is run. Begin with `checks.py`.
"""
