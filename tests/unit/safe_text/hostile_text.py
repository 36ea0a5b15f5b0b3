"""Texts from outside that try to be more than text."""

from __future__ import annotations

HOSTILE = {
    "an escape sequence": "a\x1b[31mred",
    "a title": "a\x1b]0;owned\x07b",
    "C1": "a\x9b31mred",
    "bidi": "a\u202egnp.exe",
    "isolates": "a\u2066b\u2069",
    "half a surrogate pair": "a\ud83d b",
    "a line break": "a\n12 scripts: 12 archived",
    "a carriage return": "a\rb",
    "a line separator": "a\u2028b",
    "a next line": "a\x85b",
    "without width": "pay\u200bpal",
    "backspaces": "failed\x08\x08\x08\x08\x08\x08archived",
    "NUL": "a\x00b",
    "Markdown": "![x](https://evil.example/x.png) [y](https://evil.example) # t | `c` *b*",
    "HTML": "<img src=https://evil.example/x.png><script>document.title='owned'</script><b>bold</b>",
    "a bare link": "https://evil.example/a www.evil.example me@evil.example",
    "console markup": "[bold red]x[/] [link=https://evil.example]y[/link]",
    "a smile": ":smile:",
    "1 MB": "m" * 1_000_000,
}
