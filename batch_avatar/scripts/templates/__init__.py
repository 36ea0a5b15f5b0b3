"""One text for many scripts: a template, filled with each row of a table.

Knows: what a template may hold, how a row fills it, and which faults name a row or a whole column. Must not know: how
tables are read, which is the business of `readers`. Begin with `rows.py`; `language.py` has what a template may hold.
"""
