"""A place among unfinished jobs: never lost, and never left twice."""

import asyncio
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batch_avatar.service.admission import Admission
from batch_avatar.service.slot import Slot
from tests.support.manual_clock import ManualClock


def resource(clock, *, slots=100, creates_per_minute=0.0):
    """As far as slots look at one."""
    return SimpleNamespace(
        admission=Admission(clock=clock, creates_per_minute=creates_per_minute, max_unfinished_jobs=slots)
    )


@pytest.fixture
def clock():
    return ManualClock()


async def test_a_place_is_waited_for_once(clock):
    there = resource(clock)
    slot = Slot(there, held=False)

    await slot.hold()
    await slot.hold()

    assert there.admission.held == 1


async def test_a_place_is_left_once(clock):
    there = resource(clock)
    slot = Slot(there, held=False)
    await slot.hold()

    slot.leave()
    slot.leave()

    assert there.admission.held == 0


async def test_a_job_that_exists_has_a_place_where_none_is_free(clock):
    there = resource(clock, slots=1)
    await Slot(there, held=False).hold()
    late = Slot(there, held=False)

    late.take()
    late.take()

    assert there.admission.held == 2
    late.leave()
    assert there.admission.held == 1


async def test_who_hands_a_place_over_has_none_to_leave(clock):
    there = resource(clock)
    slot = Slot(there, held=False)
    await slot.hold()

    heir = slot.handed_over()
    slot.leave()

    assert (there.admission.held, slot.given) == (1, True)
    heir.leave()
    assert there.admission.held == 0


async def test_a_place_is_handed_over_to_one_heir_only(clock):
    there = resource(clock)
    slot = Slot(there, held=False)
    await slot.hold()

    for heir in (slot.handed_over(), slot.handed_over()):
        heir.leave()

    assert there.admission.held == 0


async def test_a_job_that_turns_out_to_be_elsewhere_takes_its_place_there(clock):
    here, there = resource(clock), resource(clock, slots=1)
    await Slot(there, held=False).hold()
    slot = Slot(here, held=False)
    await slot.hold()

    slot.follow(there)

    assert (here.admission.held, there.admission.held) == (0, 2)
    slot.follow(there)
    assert there.admission.held == 2
    slot.leave()
    assert there.admission.held == 1


async def test_who_moves_leaves_its_place_at_once_and_waits_for_one_there(clock):
    here, there = resource(clock, slots=1), resource(clock, slots=1)
    busy, slot, next_one = Slot(there, held=False), Slot(here, held=False), Slot(here, held=False)
    await busy.hold()
    await slot.hold()

    slot.move(there)
    moving, waiting = asyncio.create_task(slot.hold()), asyncio.create_task(next_one.hold())
    await clock.settle()
    assert (moving.done(), waiting.done()) == (False, True), "its old place is free for the next"

    busy.leave()
    await clock.settle()
    assert (moving.done(), slot.held, there.admission.held, slot.resource) == (True, True, 1, there)


async def test_who_gives_up_waiting_holds_nothing(clock):
    here, there = resource(clock), resource(clock, slots=1)
    busy, slot = Slot(there, held=False), Slot(here, held=False)
    await busy.hold()
    slot.move(there)
    moving = asyncio.create_task(slot.hold())
    await clock.settle()

    moving.cancel()
    await asyncio.gather(moving, return_exceptions=True)
    slot.leave()
    busy.leave()

    assert (here.admission.held, there.admission.held) == (0, 0)


async def test_a_place_that_is_given_to_one_who_gives_up_at_that_moment_goes_to_the_next(clock):
    there = resource(clock, slots=1)
    first, second, third = (Slot(there, held=False) for _ in range(3))
    await first.hold()
    second_waits, third_waits = asyncio.create_task(second.hold()), asyncio.create_task(third.hold())
    await clock.settle()

    first.leave()
    second_waits.cancel()
    await clock.settle()

    assert third_waits.done()
    second.leave()
    third.leave()
    assert there.admission.held == 0


STEPS = st.lists(
    st.tuples(st.sampled_from(["hold", "take", "leave", "follow", "move", "hand over"]), st.integers(0, 1)),
    max_size=30,
)


@given(STEPS)
def test_no_place_is_lost_or_left_twice_in_any_order(steps):
    async def play():
        clock = ManualClock()
        known = [resource(clock), resource(clock)]
        slots = [Slot(known[0], held=False)]
        for step, where in steps:
            slot = slots[-1]
            match step:
                case "hold":
                    await slot.hold()
                case "take":
                    slot.take()
                case "leave":
                    slot.leave()
                case "follow":
                    slot.follow(known[where])
                case "move":
                    slot.move(known[where])
                case "hand over":
                    slots.append(slot.handed_over())
            held = [one.admission.held for one in known]
            assert min(held) >= 0
            assert sum(held) <= 1, "one walk, one place"
        for slot in (*slots, *slots):
            slot.leave()
        assert [one.admission.held for one in known] == [0, 0]

    asyncio.run(play())
