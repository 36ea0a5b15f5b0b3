"""The commands of `batch-avatar`, a module per group; `cli.py` puts them together."""
