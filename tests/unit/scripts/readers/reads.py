"""What a source gives: its scripts, what was warned of, and why it is refused."""

import pytest

from batch_avatar.errors import ManifestError
from batch_avatar.scripts.choice import SourceChoice
from batch_avatar.scripts.manifest import read_scripts
from tests.unit.scripts.hostile import DEFAULTS, WIRE


def read(*sources, **choice):
    return read_scripts(sources, defaults=DEFAULTS, wire=WIRE, choice=SourceChoice(**choice))


def texts(*sources, **choice):
    """The text of each script, by its id."""
    return {script.script_id: script.content for script in read(*sources, **choice)}


def left_out(*sources, **choice):
    """What is told of files and what they hold, not of scripts."""
    return [str(each) for each in read(*sources, **choice).warnings if each.rule in ("left-out", "not-spoken")]


def faults(*sources, **choice):
    with pytest.raises(ManifestError) as caught:
        read(*sources, **choice)
    return [str(fault) for fault in caught.value.findings]
