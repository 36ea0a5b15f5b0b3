"""The pace of creates and the slots of unfinished jobs, on a clock that stands still."""

import asyncio
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batch_avatar.service.admission import BACKOFF_SECONDS, CUT, FULL_SECONDS, LEAST_WAIT_SECONDS, MARGIN, Admission
from tests.support.manual_clock import ManualClock
from tests.support.virtual_loop import LoopClock, in_virtual_time


@pytest.fixture
def clock():
    return ManualClock()


def admission(clock, *, creates_per_minute=2.0, max_unfinished_jobs=200, gate=None):
    return Admission(
        clock=clock, creates_per_minute=creates_per_minute, max_unfinished_jobs=max_unfinished_jobs, gate=gate
    )


async def enter(gate):
    """Wait for a slot and then for a turn, as every create does."""
    await gate.wait_for_slot()
    try:
        await gate.turn()
    except BaseException:
        gate.leave()
        raise


class Creates:
    """Scripts that want to create, and when each was let."""

    def __init__(self, clock, gate, count):
        self.at = {}
        self._clock, self._gate = clock, gate
        self.tasks = [asyncio.create_task(self._create(number)) for number in range(count)]

    async def _create(self, number):
        await enter(self._gate)
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
    await enter(gate)
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
    await enter(gate)
    gate.throttled(0)

    creates = Creates(clock, gate, 1)
    await clock.advance(300)

    assert creates.times == pytest.approx([30.3])


async def test_a_pace_of_zero_is_held_up_by_a_refusal_all_the_same(clock):
    gate = admission(clock, creates_per_minute=0)
    gate.throttled(45)
    assert gate.pause_seconds == 45

    creates = Creates(clock, gate, 1)
    await clock.advance(300)

    assert creates.times == [45]
    assert gate.pause_seconds == 0


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

    await gate.wait_for_slot()
    await gate.wait_for_slot()
    third = asyncio.create_task(gate.wait_for_slot())
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

    rest = [asyncio.create_task(gate.wait_for_slot()) for _ in range(2)]
    await clock.advance(0)
    assert [task.done() for task in rest] == [True, False]
    rest[1].cancel()


async def test_waiting_costs_nothing(clock):
    Creates(clock, admission(clock), 100)

    await clock.advance(3600)

    assert len(clock.slept) <= 101


async def test_after_a_pause_without_a_pace_creates_do_not_leave_all_at_once(clock):
    gate = admission(clock, creates_per_minute=0)
    gate.throttled(45)

    creates = Creates(clock, gate, 3)
    await clock.advance(300)

    assert creates.times == [45, 51, 57]


async def accept(clock, gate, count):
    """So many creates, each accepted at once; gives when they left."""
    times = []
    for _ in range(count):
        turn = asyncio.create_task(gate.turn())
        while not turn.done():
            await clock.advance(gate.spacing_seconds + gate.pause_seconds + 0.001)
        gate.accepted()
        times.append(clock.monotonic())
    return times


async def refuse(clock, gate, told):
    gate.throttled(told)
    await clock.advance(told)


@pytest.mark.parametrize("before", [0, 3])
async def test_where_little_is_known_the_pace_doubles_with_each_accepted_create(clock, before):
    gate = admission(clock, creates_per_minute=0)
    await accept(clock, gate, before)
    await refuse(clock, gate, 45)

    spacings = []
    for _ in range(4):
        spacings.append(gate.spacing_seconds)
        gate.accepted()

    assert spacings == [6, 3, 1.5, 0.75]


async def test_an_unpaced_resource_that_refuses_gets_the_pace_that_it_accepted_in_the_last_minute(clock):
    gate = admission(clock, creates_per_minute=0)
    await accept(clock, gate, 7)
    await clock.advance(60)
    await accept(clock, gate, 20)
    assert gate.spacing_seconds == 0

    gate.throttled(30)

    assert gate.spacing_seconds == pytest.approx(3 / (1 - CUT))


async def test_the_refusal_that_ends_the_doubling_tells_the_pace_however_slow_it_is(clock):
    gate = admission(clock, creates_per_minute=0)
    await accept(clock, gate, 2)
    await refuse(clock, gate, 60)
    await accept(clock, gate, 2)

    gate.throttled(51)

    assert gate.spacing_seconds == pytest.approx(30 / (1 - CUT))


async def test_while_nothing_is_accepted_a_further_refusal_tells_nothing(clock):
    gate = admission(clock, creates_per_minute=0)
    await accept(clock, gate, 2)
    await refuse(clock, gate, 10)
    await refuse(clock, gate, 10)

    assert gate.spacing_seconds == 6


async def test_of_one_burst_the_refusals_may_be_answered_first(clock):
    gate = admission(clock, creates_per_minute=0)
    for _ in range(4):
        gate.throttled(30)
        for _ in range(5):
            gate.accepted()

    assert gate.spacing_seconds == pytest.approx(3 / (1 - CUT))


async def test_a_refusal_lowers_the_pace_and_accepted_creates_bring_it_back_but_not_beyond_the_configured_one(clock):
    gate = admission(clock, creates_per_minute=6)
    await accept(clock, gate, 1)
    await refuse(clock, gate, 10)

    spacings = [gate.spacing_seconds]
    for _ in range(30):
        gate.accepted()
        spacings.append(gate.spacing_seconds)

    assert spacings[0] == pytest.approx(MARGIN * 10 / (1 - CUT))
    assert spacings == sorted(spacings, reverse=True)
    assert spacings[1] > MARGIN * 10
    assert spacings[-1] == MARGIN * 10


async def test_one_refusal_lowers_the_pace_by_half_at_most_even_after_an_idle_minute(clock):
    gate = admission(clock, creates_per_minute=600)
    await accept(clock, gate, 100)
    await clock.advance(100)
    await accept(clock, gate, 2)
    gate.throttled(1)

    assert gate.spacing_seconds == pytest.approx(MARGIN * 0.1 * 2 / (1 - CUT))


async def test_many_refusals_in_one_pause_lower_the_pace_once(clock):
    gate = admission(clock, creates_per_minute=6)
    await accept(clock, gate, 1)
    for _ in range(10):
        gate.throttled(10)

    assert gate.spacing_seconds == pytest.approx(MARGIN * 10 / (1 - CUT))


async def test_time_alone_brings_no_pace_back(clock):
    gate = admission(clock, creates_per_minute=6)
    await accept(clock, gate, 1)
    await refuse(clock, gate, 10)

    await clock.advance(36_000)

    assert gate.spacing_seconds == pytest.approx(MARGIN * 10 / (1 - CUT))


async def test_refusals_in_a_row_say_nothing_about_the_pace(clock):
    gate = admission(clock, creates_per_minute=6)
    await accept(clock, gate, 1)
    for _ in range(10):
        await refuse(clock, gate, 10)

    assert gate.spacing_seconds == pytest.approx(MARGIN * 10 / (1 - CUT))


async def test_refusals_that_no_pace_avoids_do_not_bring_creates_to_a_standstill(clock):
    gate = admission(clock, creates_per_minute=60)
    await accept(clock, gate, 100)
    for _ in range(300):
        await accept(clock, gate, 1)
        await refuse(clock, gate, 1)

    assert gate.spacing_seconds <= 12


async def test_five_creates_in_a_row_without_an_answer_are_a_pause_and_no_slower_pace(clock):
    gate = admission(clock, creates_per_minute=6)
    await accept(clock, gate, 1)
    for _ in range(4):
        gate.unclear()
    assert gate.pause_seconds == 0

    gate.unclear()

    assert 45 <= gate.pause_seconds <= 75
    assert gate.spacing_seconds == MARGIN * 10


async def test_an_accepted_create_begins_the_row_of_unanswered_ones_anew(clock):
    gate = admission(clock)
    for _ in range(3):
        for _ in range(4):
            gate.unclear()
        gate.accepted()

    assert gate.pause_seconds == 0


async def test_a_create_that_the_pace_allows_waits_for_the_gate_and_is_let_through_in_order(clock):
    passed = []

    async def gate():
        await clock.sleep(10)
        passed.append(clock.monotonic())

    creates = Creates(clock, admission(clock, creates_per_minute=0, gate=gate), 3)
    await clock.advance(100)

    assert creates.at == {0: 10, 1: 20, 2: 30}
    assert passed == [10, 20, 30]


async def test_a_refusal_while_somebody_stands_at_the_gate_holds_him_up_as_well(clock):
    passed = []

    async def gate():
        await clock.sleep(10)
        passed.append(clock.monotonic())

    let_in = admission(clock, gate=gate)
    creates = Creates(clock, let_in, 1)
    await clock.advance(5)
    let_in.throttled(60)
    await clock.advance(100)

    assert creates.times == [65]
    assert passed == [10]


async def test_a_gate_that_fails_costs_neither_slot_nor_turn(clock):
    fails = [True, False]

    async def gate():
        if fails.pop(0):
            raise OSError("no answer")

    let_in = admission(clock, max_unfinished_jobs=1, gate=gate)
    with pytest.raises(OSError, match="no answer"):
        await enter(let_in)
    assert let_in.held == 0

    await enter(let_in)
    assert clock.monotonic() == 0


async def test_jobs_of_others_take_slots(clock):
    gate = admission(clock, creates_per_minute=0, max_unfinished_jobs=5)
    gate.see_others(3)
    creates = Creates(clock, gate, 5)
    await clock.advance(0)
    assert len(creates.at) == 2

    gate.see_others(0)
    await clock.advance(0)

    assert list(creates.at) == [0, 1, 2, 3, 4]


async def test_a_job_of_others_that_comes_and_goes_keeps_its_slot(clock):
    gate = admission(clock, creates_per_minute=0, max_unfinished_jobs=5)
    gate.see_others(3)
    creates = Creates(clock, gate, 5)
    for count in (2, 3, 2, 3, 2, 2, 2):
        gate.see_others(count)
        await clock.advance(0)
        assert len(creates.at) == 2

    gate.see_others(2)
    await clock.advance(0)
    assert len(creates.at) == 3


async def test_jobs_of_others_keep_new_ones_out_and_drive_none_away(clock):
    gate = admission(clock, creates_per_minute=0, max_unfinished_jobs=3)
    creates = Creates(clock, gate, 4)
    await clock.advance(0)
    gate.see_others(50)
    assert gate.held == 3

    for _ in range(3):
        gate.leave()
    await clock.advance(0)
    assert len(creates.at) == 3

    gate.see_others(0)
    await clock.advance(0)
    assert len(creates.at) == 4


async def test_a_job_that_is_found_on_the_way_has_its_slot_already(clock):
    gate = admission(clock, creates_per_minute=0, max_unfinished_jobs=2)
    for _ in range(3):
        gate.take()
    assert gate.held == 3

    creates = Creates(clock, gate, 1)
    gate.leave()
    await clock.advance(0)
    assert creates.times == []

    gate.leave()
    await clock.advance(0)
    assert creates.times == [0]


async def test_who_comes_first_gets_the_slot_first(clock):
    gate = admission(clock, max_unfinished_jobs=1)
    await gate.wait_for_slot()
    order = []

    async def wait(number):
        await gate.wait_for_slot()
        order.append(number)

    tasks = [asyncio.create_task(wait(number)) for number in range(4)]
    await clock.advance(0)
    tasks[1].cancel()
    for _ in range(3):
        gate.leave()
        await clock.advance(0)

    assert order == [0, 2, 3]


async def test_a_service_that_is_full_sooner_than_we_count_is_believed(clock):
    gate = admission(clock, creates_per_minute=0, max_unfinished_jobs=10)
    for _ in range(8):
        await enter(gate)

    gate.throttled(20, full=True)
    gate.throttled(20, full=True)
    for _ in range(2):  # the two that were refused give up
        gate.leave()
    creates = Creates(clock, gate, 2)
    await clock.advance(100)

    assert creates.times == []
    gate.leave()  # a job ends
    await clock.advance(0)
    assert creates.times == [100]


async def test_slots_that_a_refusal_took_come_back_one_with_each_look_at_the_list(clock):
    gate = admission(clock, creates_per_minute=0, max_unfinished_jobs=10)
    for _ in range(7):
        await enter(gate)
    gate.throttled(5, full=True)
    gate.leave()
    creates = Creates(clock, gate, 10)
    await clock.advance(100)

    counts = []
    for _ in range(6):
        gate.see_others(0)
        await clock.advance(0)
        counts.append(gate.held)

    assert counts == [7, 8, 9, 10, 10, 10]
    assert len(creates.at) == 4


async def test_jobs_of_others_that_explain_a_refusal_are_not_counted_twice(clock):
    gate = admission(clock, creates_per_minute=0, max_unfinished_jobs=10)
    for _ in range(7):
        await enter(gate)
    gate.throttled(5, full=True)  # six of ours and four that no list has shown yet
    gate.leave()

    gate.see_others(4)
    creates = Creates(clock, gate, 1)
    gate.leave()
    await clock.advance(100)

    assert creates.times == [5]


async def test_at_least_one_job_is_always_tried(clock):
    gate = admission(clock, creates_per_minute=0, max_unfinished_jobs=10)
    await enter(gate)
    for _ in range(3):
        await refuse_full(clock, gate)
    gate.leave()

    creates = Creates(clock, gate, 2)
    await clock.advance(100)

    assert len(creates.at) == 1


async def refuse_full(clock, gate):
    gate.throttled(None, full=True)
    await clock.advance(gate.pause_seconds)


async def test_a_full_service_is_asked_again_soon_and_then_less_often_and_the_pace_stays(clock):
    gate = admission(clock, creates_per_minute=6)
    await accept(clock, gate, 1)
    waits = []
    for _ in range(6):
        gate.throttled(None, full=True)
        waits.append(gate.pause_seconds)
        await clock.advance(gate.pause_seconds)

    steps = (10, 20, 40, 60, 60, 60)
    assert all(0.75 * step <= wait <= 1.25 * step for wait, step in zip(waits, steps, strict=True)), waits
    assert FULL_SECONDS == (10, 20, 40, 60)
    assert gate.spacing_seconds == MARGIN * 10


async def test_a_full_service_is_left_alone_for_the_time_that_it_names(clock):
    gate = admission(clock, creates_per_minute=0)
    gate.throttled(90, full=True)

    assert gate.pause_seconds == 90


async def test_a_slot_that_is_given_and_given_up_at_the_same_moment_goes_to_the_next(clock):
    gate = admission(clock, max_unfinished_jobs=1)
    await gate.wait_for_slot()
    first, second = (asyncio.create_task(gate.wait_for_slot()) for _ in range(2))
    await clock.advance(0)

    gate.leave()
    first.cancel()
    await clock.advance(0)

    assert first.cancelled()
    assert second.done()
    assert gate.held == 1


steps = st.one_of(
    st.tuples(st.sampled_from(["enter", "adopt", "take", "settle", "accepted"]), st.just(0)),
    st.tuples(st.sampled_from(["cancel", "leave", "advance"]), st.integers(0, 20)),
    st.tuples(st.sampled_from(["others", "throttled"]), st.integers(0, 4)),
)


@given(st.lists(steps, max_size=40), st.integers(1, 4), st.sampled_from([0, 6]))
def test_no_slot_is_lost_or_given_twice_whatever_happens_and_whoever_is_cancelled(walk, slots, pace):
    async def run():
        crowd = Crowd(slots, pace)
        for step, number in walk:
            await getattr(crowd, step)(number)
        await crowd.check()

    asyncio.run(run())


class Crowd:
    """Scripts that come, go and give up at any moment."""

    def __init__(self, slots, pace):
        self._clock, self._slots, self._others, self._taken, self._tasks = ManualClock(), slots, 0, 0, []
        self._gate = admission(self._clock, creates_per_minute=pace, max_unfinished_jobs=slots)

    async def enter(self, _):
        self._tasks.append(asyncio.create_task(enter(self._gate)))

    async def adopt(self, _):
        self._tasks.append(asyncio.create_task(self._gate.wait_for_slot()))

    async def take(self, _):
        self._gate.take()
        self._taken += 1

    async def cancel(self, number):
        if self._tasks:
            self._tasks[number % len(self._tasks)].cancel()

    async def leave(self, number):
        if inside := self._inside():
            self._tasks.remove(inside[number % len(inside)])
            self._gate.leave()

    async def others(self, number):
        self._others = number
        self._gate.see_others(number)

    async def throttled(self, number):
        self._gate.throttled(number)

    async def accepted(self, _):
        self._gate.accepted()

    async def advance(self, number):
        await self._clock.advance(number)

    async def settle(self, _):
        await self._clock.settle()

    async def check(self):
        await self._clock.advance(10_000)
        assert self._gate.held == len(self._inside()) + self._taken
        for _ in range(4):  # looks, after which nobody expects more of theirs
            self._gate.see_others(self._others)
            await self._clock.settle()
        waiting = [task for task in self._tasks if not task.done()]
        assert not waiting or self._gate.held + self._others >= self._slots, "somebody waits beside a free slot"

        for task in waiting:
            task.cancel()
        await self._clock.settle()
        for _ in range(self._gate.held):
            self._gate.leave()
        self._gate.see_others(0)
        rest = [asyncio.create_task(self._gate.wait_for_slot()) for _ in range(self._slots + 1)]
        await self._clock.settle()
        assert [task.done() for task in rest] == [True] * self._slots + [False]
        rest[-1].cancel()
        await self._clock.settle()

    def _inside(self):
        return [task for task in self._tasks if task.done() and not task.cancelled()]


class SlidingMinute:
    """Takes so many creates in any minute. Tells the seconds until the next, as the service does; 0 for taken."""

    def __init__(self, per_minute):
        self._per_minute, self._taken = per_minute, []

    def create(self, now):
        self._taken = [at for at in self._taken if at > now - 60]
        if len(self._taken) >= self._per_minute:
            return max(1, -int(now - 60 - self._taken[0] // 1))
        self._taken.append(now)
        return 0


class Bucket:
    """Takes a minute's creates at once where none came lately, and so many a minute in the long run."""

    def __init__(self, per_minute):
        self._per_second, self._most = per_minute / 60, per_minute
        self._tokens, self._at = per_minute, 0

    def create(self, now):
        self._tokens = min(self._most, self._tokens + (now - self._at) * self._per_second)
        self._at = now
        if self._tokens < 1:
            return max(1, -int((self._tokens - 1) / self._per_second // 1))
        self._tokens -= 1
        return 0


SENDERS = 8  # as many creates are on the way at once


class Traffic:
    """Creates without end, as fast as admission lets them; answers take a third of a second, more or less."""

    def __init__(self, clock, service, gate, seed, *, tells=True):
        self.accepted, self.refused = [], []
        self._clock, self._service, self._gate, self._tells = clock, service, gate, tells
        self._random = random.Random(seed)
        self.tasks = [asyncio.create_task(self._send()) for _ in range(SENDERS)]

    async def _send(self):
        while True:
            await self._gate.turn()
            wait = self._service.create(self._clock.monotonic())
            (self.refused if wait else self.accepted).append(self._clock.monotonic())
            await self._clock.sleep(self._random.uniform(0.1, 0.5))
            if wait:
                self._gate.throttled(wait if self._tells else None)
            else:
                self._gate.accepted()

    async def run(self, count):
        while len(self.accepted) < count:
            await self._clock.sleep(60)
        for task in self.tasks:
            task.cancel()
        return self

    @property
    def refused_per_1000(self):
        warm = self.accepted[99]
        return 1000 * sum(at > warm for at in self.refused) / (len(self.accepted) - 100)

    @property
    def per_minute(self):
        """Of the later half."""
        half = self.accepted[len(self.accepted) // 2 :]
        return 60 * (len(half) - 1) / (half[-1] - half[0])


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("kind", [SlidingMinute, Bucket])
@pytest.mark.parametrize("per_minute", [2, 60, 600])
@pytest.mark.parametrize("configured", [0, 2], ids=["unpaced", "twice-too-high"])
@in_virtual_time
async def test_the_pace_of_the_service_is_found_and_kept_with_few_refusals(configured, per_minute, kind, seed):
    clock = LoopClock()
    gate = admission(clock, creates_per_minute=configured * per_minute)
    traffic = await Traffic(clock, kind(per_minute), gate, seed).run(2100)

    assert traffic.refused_per_1000 <= 10
    assert traffic.per_minute >= 0.9 * per_minute


@pytest.mark.parametrize("kind", [SlidingMinute, Bucket])
@pytest.mark.parametrize("per_minute", [2, 60])
@in_virtual_time
async def test_a_pace_that_the_service_bears_is_never_refused_and_never_idles(per_minute, kind):
    clock = LoopClock()
    traffic = await Traffic(clock, kind(per_minute), admission(clock, creates_per_minute=per_minute), 1).run(300)

    assert traffic.refused == []
    assert traffic.per_minute >= 0.98 * per_minute


@in_virtual_time
async def test_two_machines_share_what_the_service_has():
    clock, service = LoopClock(), SlidingMinute(60)
    both = [Traffic(clock, service, admission(clock, creates_per_minute=60), seed) for seed in (1, 2)]
    for traffic in both:
        await traffic.run(1500)

    half = clock.monotonic() / 2
    shares = [sum(at > half for at in traffic.accepted) / half * 60 for traffic in both]
    assert sum(shares) >= 0.85 * 60
    assert min(shares) >= 0.25 * 60
    assert all(traffic.refused_per_1000 <= 10 for traffic in both)


@pytest.mark.parametrize("per_minute", [2, 60])
@in_virtual_time
async def test_a_service_that_names_no_time_is_used_well_all_the_same(per_minute):
    clock = LoopClock()
    gate = admission(clock, creates_per_minute=0)
    traffic = await Traffic(clock, SlidingMinute(per_minute), gate, 1, tells=False).run(4000)

    assert traffic.refused_per_1000 <= 10
    assert traffic.per_minute >= 0.8 * per_minute


async def test_no_slot_that_is_free_stands_idle_while_nothing_is_refused(clock):
    gate = admission(clock, creates_per_minute=0, max_unfinished_jobs=5)
    running, idle = 0, []

    async def script(seconds):
        nonlocal running
        await enter(gate)
        running += 1
        gate.accepted()
        await clock.sleep(seconds)
        running -= 1
        gate.leave()

    lengths = [random.Random(number).uniform(10, 500) for number in range(60)]
    scripts = [asyncio.create_task(script(seconds)) for seconds in lengths]
    while sum(not task.done() for task in scripts) >= 5:
        await clock.advance(1)
        idle.append(5 - running)

    assert max(idle[:-1]) == 0


@in_virtual_time
async def test_a_service_that_becomes_faster_is_followed():
    clock = LoopClock()
    gate = admission(clock, creates_per_minute=0)
    await Traffic(clock, SlidingMinute(30), gate, 1).run(300)

    later = await Traffic(clock, SlidingMinute(90), gate, 1).run(2000)

    assert later.per_minute >= 0.9 * 90
