"""What people meant by what they wrote: SSML or text, and what got into a script by mistake.

Knows: the leftovers of templates, spreadsheets and other programs, which members a script has, and what each may hold.
Must not know: files and tables, avatars and voices. A finding counts lines from the beginning of the text. A new sign
of a mistake in a text goes into `plain_text.py` or `leftovers.py`, a new word for a bad member into `members.py`.
"""
