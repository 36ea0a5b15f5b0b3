"""Tokens of Microsoft Entra: asking for them, using them for as long as they are good, and what it means if none come.

Knows: the identity library, its HTTP, and the words in which Microsoft Entra and the service refuse access. Must not
know: what is asked of the service. Begin with
`tokens.py`; `verdict.py`, which is pure, decides whether an identity is away or refuses.
"""
