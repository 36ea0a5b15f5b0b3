"""The batch avatar service on this machine. It imports nothing of the client."""
