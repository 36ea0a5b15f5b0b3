"""A template and a table in files, and what they give."""

import csv

import pytest

from batch_avatar.errors import ManifestError
from batch_avatar.scripts.choice import SourceChoice
from batch_avatar.scripts.manifest import read_scripts
from tests.support.scripts import LOOK
from tests.unit.scripts.hostile import WIRE

SSML = (
    '<speak version="1.0" xmlns="http://www.w3.org/2001/10/synthesis" xml:lang="en-US">'
    '<voice name="en-US-AvaNeural">{}</voice></speak>\n'
)


def in_files(folder, template, rows, *, ending=".txt.j2", separator=","):
    """Write both. `rows`: of a table, the header first. Return them as a choice has them."""
    made, table = folder / f"hi{ending}", folder / "people.csv"
    made.write_text(template, encoding="utf-8")
    with table.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter=separator).writerows(rows)
    return {"template": str(made), "rows": str(table)}


def read(choice, **more):
    return read_scripts([], defaults=LOOK, wire=WIRE, choice=SourceChoice(**(choice | more)))


def faults(choice, **more):
    """The findings, each with the last part of its source's path."""
    with pytest.raises(ManifestError) as caught:
        read(choice, **more)
    return [short(finding) for finding in caught.value.findings]


def warned(scripts):
    return [short(finding) for finding in scripts.warnings]


def short(finding):
    return str(finding._replace(source=finding.source.rpartition("/")[2]))
