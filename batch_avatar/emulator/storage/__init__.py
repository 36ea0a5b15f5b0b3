"""Where outputs lie: blobs in Azurite behind signed links, the user's own container, and the clips themselves.

Knows: storage accounts and links. Must not know: HTTP of the service, or who may create. Begin with `outputs.py`.
"""
