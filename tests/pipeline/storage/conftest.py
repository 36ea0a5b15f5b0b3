"""A storage that is reached by a road; each test file says by which, in its fixture `road`."""

from dataclasses import replace

import pytest


@pytest.fixture
def by_road(quick, road):
    """A bench whose archive is reached by the road."""
    direct = quick()
    return replace(direct, connection_string=road.connection_string(direct.connection_string))
