"""The pace of creates and the slots of unfinished jobs, on a clock that stands still."""

import asyncio

import pytest

from batch_avatar.admission import BACKOFF_SECONDS, LEAST_WAIT_SECONDS, MARGIN, Admission
from tests.support.manual_clock import ManualClock


@pytest.fixture
def clock():
    return ManualClock()


def admission(clock, *, creates_per_minute=2.0, max_unfinished_jobs=200):
    return Admission(clock=clock, creates_per_minute=creates_per_minute, max_unfinished_jobs=max_unfinished_jobs)


class Creates:
    """Scripts that want to create, and when each was let."""

    def __init__(self, clock, gate, count):
        self.at = {}
        self._clock, self._gate = clock, gate
        self.tasks = [asyncio.create_task(self._create(number)) for number in range(count)]

    async def _create(self, number):
        await self._gate.enter()
        self.at[number] = self._clock.monotonic()

    @property
    def times(self):
        return list(self.at.values())


async def test_two_creates_a_minute_are_half_a_minute_apart_and_a_little_more(clock):
    creates = Creates(clock, admission(clock), 5)

    await clock.advance(300)

    assert creates.times == pytest.approx([0, 30.3, 60.6, 90.9, 121.2])
    assert pytest.approx(30.3) == MARGIN * 30


async def test_no_minute_ever_sees_more_creates_than_the_pace(clock):
    creates = Creates(clock, admission(clock, creates_per_minute=5), 40)

    await clock.advance(600)

    assert len(creates.times) == 40
    assert all(sum(start <= at < start + 60 for at in creates.times) <= 5 for start in creates.times)


async def test_who_comes_first_creates_first(clock):
    creates = Creates(clock, admission(clock), 5)

    await clock.advance(300)

    assert list(creates.at) == [0, 1, 2, 3, 4]


async def test_a_pace_of_zero_is_no_pace(clock):
    creates = Creates(clock, admission(clock, creates_per_minute=0), 50)

    await clock.advance(0)

    assert creates.times == [0] * 50


async def test_idle_time_is_not_saved_up(clock):
    gate = admission(clock)
    await gate.enter()
    await clock.advance(3600)

    creates = Creates(clock, gate, 3)
    await clock.advance(300)

    assert creates.times == pytest.approx([3600, 3630.3, 3660.6])


async def test_nobody_creates_before_the_time_that_the_service_names(clock):
    gate = admission(clock)
    gate.throttled(90)

    creates = Creates(clock, gate, 2)
    await clock.advance(300)

    assert creates.times == pytest.approx([90, 120.3])


async def test_who_waits_already_waits_on_when_the_service_refuses(clock):
    gate = admission(clock)
    creates = Creates(clock, gate, 2)
    await clock.advance(20)

    gate.throttled(60)
    await clock.advance(300)

    assert creates.times == pytest.approx([0, 80])


async def test_a_named_time_that_is_shorter_than_the_pace_does_not_hurry_it(clock):
    gate = admission(clock)
    creates = Creates(clock, gate, 2)
    await clock.advance(1)

    gate.throttled(0)
    await clock.advance(300)

    assert creates.times == pytest.approx([0, 30.3])


async def test_a_named_time_that_is_shorter_than_the_pace_hurries_nobody_who_comes_later(clock):
    gate = admission(clock)
    await gate.enter()
    gate.throttled(0)

    creates = Creates(clock, gate, 1)
    await clock.advance(300)

    assert creates.times == pytest.approx([30.3])


async def test_a_pace_of_zero_is_held_up_by_a_refusal_all_the_same(clock):
    gate = admission(clock, creates_per_minute=0)
    gate.throttled(45)

    creates = Creates(clock, gate, 2)
    await clock.advance(300)

    assert creates.times == [45, 45]


async def waits_after(clock, gate, *refusals):
    """How long nobody creates after each refusal; each comes when the pause of the one before is over."""
    waits = []
    for told in refusals:
        gate.throttled(told)
        waits.append(await time_until_a_turn(clock, gate))
    return waits


async def time_until_a_turn(clock, gate):
    task = asyncio.create_task(gate.turn())
    await clock.advance(1000)
    await task
    return clock.slept[-1]


async def test_refusals_without_a_named_time_wait_one_two_four_four_minutes_give_or_take_a_quarter(clock):
    waits = await waits_after(clock, admission(clock, creates_per_minute=0), *[None] * 6)

    steps = (60, 120, 240, 240, 240, 240)
    assert all(0.75 * step <= wait <= 1.25 * step for wait, step in zip(waits, steps, strict=True)), waits
    assert BACKOFF_SECONDS == (60, 120, 240, 240)


@pytest.mark.parametrize("refused", [2, 3, 10])
async def test_several_refusals_within_one_pause_are_one_refusal(clock, refused):
    gate = admission(clock, creates_per_minute=0)
    for _ in range(refused):
        gate.throttled(None)
        await clock.advance(1)

    first = await time_until_a_turn(clock, gate) + refused
    [second] = await waits_after(clock, gate, None)

    assert 45 <= first <= 75 + refused
    assert 90 <= second <= 150


async def test_a_refusal_with_a_named_time_is_a_refusal_too(clock):
    waits = await waits_after(clock, admission(clock, creates_per_minute=0), 30, None)

    assert waits[0] == 30
    assert 90 <= waits[1] <= 150


async def test_a_refusal_within_a_pause_lengthens_it_and_never_shortens_it(clock):
    gate = admission(clock, creates_per_minute=0)
    gate.throttled(100)
    gate.throttled(10)
    assert await time_until_a_turn(clock, gate) == 100

    gate.throttled(100)
    await clock.advance(50)
    gate.throttled(100)
    assert await time_until_a_turn(clock, gate) == 100


@pytest.mark.parametrize(("told", "waited"), [(0, 1), (0.5, 1), (1, 1), (1.5, 1.5)])
async def test_a_named_time_of_nothing_is_a_second_all_the_same(clock, told, waited):
    assert await waits_after(clock, admission(clock, creates_per_minute=0), told) == [waited]
    assert LEAST_WAIT_SECONDS == 1


async def test_the_waits_are_spread(clock):
    waits = {(await waits_after(clock, admission(clock, creates_per_minute=0), None))[0] for _ in range(20)}

    assert len(waits) > 1


async def test_an_accepted_create_forgets_the_refusals(clock):
    gate = admission(clock, creates_per_minute=0)
    await waits_after(clock, gate, None, None, None)

    gate.accepted()
    [waited] = await waits_after(clock, gate, None)

    assert 45 <= waited <= 75


async def test_so_many_jobs_at_once_and_no_more(clock):
    gate = admission(clock, creates_per_minute=0, max_unfinished_jobs=3)
    creates = Creates(clock, gate, 5)
    await clock.advance(0)
    assert len(creates.at) == 3

    gate.leave()
    await clock.advance(0)

    assert len(creates.at) == 4


async def test_an_adopted_job_takes_a_slot_and_no_turn(clock):
    gate = admission(clock, max_unfinished_jobs=2)
    gate.throttled(1000)

    await gate.adopt()
    await gate.adopt()
    third = asyncio.create_task(gate.adopt())
    await clock.advance(0)

    assert not third.done()
    assert clock.slept == []
    gate.leave()
    await third


async def test_who_waits_for_a_slot_takes_no_turn(clock):
    gate = admission(clock, max_unfinished_jobs=1)
    creates = Creates(clock, gate, 2)
    await clock.advance(100)
    assert creates.times == [0]

    gate.leave()
    await clock.advance(0)

    assert creates.times == [0, 100]


async def test_who_gives_up_waiting_leaves_slot_and_turn_to_others(clock):
    gate = admission(clock, max_unfinished_jobs=3)
    creates = Creates(clock, gate, 3)
    await clock.advance(0)
    creates.tasks[1].cancel()
    await clock.advance(60)

    assert list(creates.at) == [0, 2]
    assert creates.times == pytest.approx([0, 30.3])

    rest = [asyncio.create_task(gate.adopt()) for _ in range(2)]
    await clock.advance(0)
    assert [task.done() for task in rest] == [True, False]
    rest[1].cancel()


async def test_waiting_costs_nothing(clock):
    Creates(clock, admission(clock), 100)

    await clock.advance(3600)

    assert len(clock.slept) <= 101
