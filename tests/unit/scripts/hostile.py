"""Sources that somebody made to do harm: read, and the faults that they have."""

import pytest

from batch_avatar.errors import ManifestError
from batch_avatar.scripts.manifest import read_scripts
from batch_avatar.service.wire.generations import wire_for

WIRE = wire_for("2024-08-01")
DEFAULTS = {"voice": "v", "talking_avatar_character": "lisa", "talking_avatar_style": "graceful-sitting"}


def read(*sources):
    return read_scripts(sources, defaults=DEFAULTS, wire=WIRE)


def faults(*sources):
    with pytest.raises(ManifestError) as caught:
        read(*sources)
    return list(caught.value.faults)
