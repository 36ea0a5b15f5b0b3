"""The ways into the storage account, and what the storage says when it lets nobody in.

Knows: account keys, tokens of Microsoft Entra for the storage SDK, and the storage's own explanations. Must not know:
what lies in the account. `keys.py` and `tokens.py` are the two ways in; `explanations.py` is pure.
"""
