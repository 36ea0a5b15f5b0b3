"""A storage that refuses, before or after the effect: nothing is paid twice, nothing lost, no loop, no silence."""

from __future__ import annotations

import pytest
from azure.core.pipeline.transport import RequestsTransport
from hypothesis import strategies as st

from tests.chaos.hostile.life import HostileLife, draw, live, members_of, ways
from tests.chaos.hostile.storage import CODES, StorageRoad, mischiefs
from tests.chaos.machine.options import chosen_seeds
from tests.chaos.machine.strategies import subsets, worlds
from tests.chaos.machine.world import World

BLOCKS_BYTES = 4_300_000  # more than one block: it is staged and committed
one = st.sampled_from(((None,), (None,), (None, None)))
chores = st.sampled_from((None, None, "sweep", "plan"))
stories = st.tuples(
    worlds,
    ways,
    st.sampled_from((1024, 1024, BLOCKS_BYTES)),
    st.lists(st.tuples(mischiefs, subsets, one, chores, st.booleans()), min_size=2, max_size=3),
)


class RefusedLife(HostileLife):
    """The storage may refuse even the report."""

    def was_stopped(self, ended) -> bool:
        return super().was_stopped(ended) or not self.free


def pytest_generate_tests(metafunc):
    if "machine_seed" in metafunc.fixturenames:
        metafunc.parametrize("machine_seed", chosen_seeds(metafunc.config))


@pytest.mark.timeout(900)
@pytest.mark.filterwarnings(
    "ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning"
)  # see `live`
def test_refusals_of_the_storage_cost_no_money_no_video_and_no_time(azurite, machine_seed, capfd, monkeypatch):
    world, how, size, story = draw(stories, machine_seed)
    played = World(azurite, members=members_of(how), **world["service"], **world["options"], minimal_size_bytes=size)
    try:
        with StorageRoad(azurite.url) as road:
            life = RefusedLife(played, road, how)
            monkeypatch.setattr(RequestsTransport, "sleep", lambda _, seconds: life.clock.skip(seconds))
            played.lead_storage_by(road.url)
            life.trace.append(f"begin: {world}, {how}, videos of {size} bytes")
            live(life, story, lambda: "".join(capfd.readouterr()), machine_seed, "tests/chaos/hostile/test_storage.py")
    finally:
        played.close()


def test_every_code_comes_once_for_an_operation_and_is_an_error():
    for operation, codes in CODES.items():
        assert len(codes) == len(set(codes)), operation
        assert all(300 <= status < 600 for status, _ in codes), operation
