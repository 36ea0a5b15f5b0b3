"""A service whose answers are odd: nothing is paid twice, nothing lost, and every run tells what it waits for."""

from __future__ import annotations

import pytest
from hypothesis import strategies as st

from tests.chaos.hostile.answers import mischiefs
from tests.chaos.hostile.life import HostileLife, draw, live, members_of, ways
from tests.chaos.hostile.road import AnswerRoad
from tests.chaos.machine.options import chosen_seeds
from tests.chaos.machine.strategies import subsets, worlds
from tests.chaos.machine.world import World

two = st.sampled_from(((None,), (None,), (None, None)))
chores = st.sampled_from((None, None, "sweep", "plan"))


def acts(world):
    one = st.tuples(mischiefs(world["service"]["api_version"]), subsets, two, chores, st.booleans())
    return st.tuples(st.just(world), ways, st.lists(one, min_size=2, max_size=3))


def pytest_generate_tests(metafunc):
    if "machine_seed" in metafunc.fixturenames:
        metafunc.parametrize("machine_seed", chosen_seeds(metafunc.config))


@pytest.mark.timeout(900)
@pytest.mark.filterwarnings(
    "ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning"
)  # see `live`
def test_odd_answers_cost_no_money_no_video_and_no_time(azurite, machine_seed, capfd):
    world, how, story = draw(worlds.flatmap(acts), machine_seed)
    live_world = World(azurite, members=members_of(how), **world["service"], **world["options"])
    try:
        with AnswerRoad(live_world.emulator) as road:
            live_world.endpoint = road.url
            life = HostileLife(live_world, road, how)
            life.trace.append(f"begin: {world}, {how}")
            live(life, story, lambda: "".join(capfd.readouterr()), machine_seed, "tests/chaos/hostile/test_answers.py")
    finally:
        live_world.close()
