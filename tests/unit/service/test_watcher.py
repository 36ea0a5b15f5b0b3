"""One poller wakes whoever waits for a job, believes no single absence, and fails no job for an error of its own."""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from batch_avatar.errors import (
    AccessRefused,
    JobNotFound,
    JobOverdue,
    ServiceUnavailable,
    StillRunning,
    Throttled,
)
from batch_avatar.models import SynthesisJob
from batch_avatar.service.deadlines import Deadlines
from batch_avatar.service.watcher import MOST_CONFIRMED, Watcher
from batch_avatar.service.wire.messages import JobPage
from tests.support.manual_clock import ManualClock

CLOCK = ManualClock()
INTERVAL = 10.0


@dataclass
class Service:
    """Stands in for the client: jobs newest first, those hidden from the list, and errors to answer with."""

    clock: ManualClock
    page_size: int = 100
    jobs: dict[str, SynthesisJob] = field(default_factory=dict)
    hidden: set[str] = field(default_factory=set)
    list_errors: list[Exception] = field(default_factory=list)
    get_errors: list[Exception] = field(default_factory=list)
    pages_read: int = 0
    asked_for: list[str] = field(default_factory=list)
    lists: int = 0
    breaks_after: int | None = None
    ahead: timedelta = timedelta()
    """Of the clock here, the service's."""

    def put(self, service_id, status="NotStarted"):
        known = self.jobs.get(service_id)
        created = known.created_at if known else self.clock.now() + self.ahead
        job = SynthesisJob(service_id=service_id, status=status, created_at=created, observed_at=created)
        self.jobs = {**self.jobs, service_id: job} if known else {service_id: job, **self.jobs}

    def _seen(self, service_id):
        return self.jobs[service_id].model_copy(update={"observed_at": self.clock.now() + self.ahead})

    def list_pages(self):
        self.lists += 1
        if self.list_errors:
            raise self.list_errors.pop(0)
        shown = [self._seen(service_id) for service_id in self.jobs if service_id not in self.hidden]
        for start in range(0, max(len(shown), 1), self.page_size):
            if self.breaks_after is not None and start >= self.breaks_after * self.page_size:
                raise ServiceUnavailable("the list goes on elsewhere")
            self.pages_read += 1
            end = start + self.page_size
            yield JobPage(tuple(shown[start:end]), f"/jobs?skip={end}" if end < len(shown) else None)

    def get(self, service_id):
        self.asked_for.append(service_id)
        if self.get_errors:
            raise self.get_errors.pop(0)
        if service_id not in self.jobs:
            raise JobNotFound("no such job", job_id=service_id)
        return self._seen(service_id)


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def service(clock):
    return Service(clock)


@pytest.fixture
def changes():
    return []


@pytest.fixture
def others():
    return []


@pytest.fixture
async def watcher(clock, service, changes, others):
    async def run(call, *args):
        return call(*args)

    watcher = Watcher(
        client=service,
        clock=clock,
        poll_interval_seconds=INTERVAL,
        deadlines=Deadlines(start_seconds=3600, job_seconds=14400, clock=clock),
        run=run,
        on_change=lambda job: changes.append((job.service_id, job.status)),
        on_others=others.append,
    )
    yield watcher
    await watcher.close()


def waiting(watcher, *service_ids, window=600.0, expected=None):
    return [
        asyncio.create_task(watcher.wait(name, window_seconds=window, expected_seconds=expected))
        for name in service_ids
    ]


async def test_a_waiter_wakes_with_the_job_once_it_has_ended(watcher, service, clock):
    service.put("a")
    [task] = waiting(watcher, "a")
    await clock.advance(30)
    assert not task.done()

    service.put("a", "Succeeded")
    await clock.advance(INTERVAL)

    assert task.result().status == "Succeeded"


@pytest.mark.parametrize("status", ["Succeeded", "Failed"])
async def test_both_ends_wake(watcher, service, clock, status):
    service.put("a", status)
    [task] = waiting(watcher, "a")

    await clock.advance(INTERVAL)

    assert task.result().status == status


@pytest.mark.parametrize("status", ["Cancelled", "Resting"])
async def test_an_unknown_status_ends_nothing(watcher, service, clock, status):
    service.put("a", status)
    [task] = waiting(watcher, "a")

    await clock.advance(300)

    assert not task.done()


async def test_many_waiters_cost_one_list_an_interval(watcher, service, clock):
    names = [f"job-{number}" for number in range(50)]
    for name in names:
        service.put(name)
    tasks = waiting(watcher, *names)

    await clock.advance(10 * INTERVAL)

    assert (service.lists, service.asked_for) == (10, [])
    assert clock.sleepers == 1
    for name in names:
        service.put(name, "Succeeded")
    await clock.advance(INTERVAL)
    assert [task.result().service_id for task in tasks] == names


async def test_each_waiter_gets_its_own_job(watcher, service, clock):
    service.put("a", "Failed")
    service.put("b", "Succeeded")
    service.put("c")
    a, b, c = waiting(watcher, "a", "b", "c")

    await clock.advance(INTERVAL)

    assert (a.result().status, b.result().status, c.done()) == ("Failed", "Succeeded", False)


async def test_two_who_wait_for_one_job_both_wake(watcher, service, clock):
    service.put("a")
    first, second = waiting(watcher, "a", "a")
    await clock.advance(INTERVAL)

    service.put("a", "Succeeded")
    await clock.advance(INTERVAL)

    assert (first.done(), second.done()) == (True, True)


async def test_nobody_waits_then_nothing_is_asked(watcher, service, clock):
    service.put("a", "Succeeded")
    waiting(watcher, "a")
    await clock.advance(INTERVAL)

    await clock.advance(3600)

    assert (service.lists, clock.sleepers) == (1, 0)


async def test_a_later_waiter_starts_the_poller_anew(watcher, service, clock):
    service.put("a", "Succeeded")
    waiting(watcher, "a")
    await clock.advance(3600)

    [task] = waiting(watcher, "a")
    await clock.advance(INTERVAL)

    assert task.result().status == "Succeeded"


async def test_changes_are_told_once_each(watcher, service, clock, changes):
    service.put("a")
    service.put("b", "Running")
    waiting(watcher, "a")
    await clock.advance(3 * INTERVAL)
    service.put("a", "Running")
    await clock.advance(3 * INTERVAL)
    service.put("a", "Succeeded")
    await clock.advance(3 * INTERVAL)

    assert changes == [("a", "NotStarted"), ("a", "Running"), ("a", "Succeeded")]


# Absence


async def test_a_job_that_the_list_misses_is_asked_for_by_name(watcher, service, clock):
    service.put("a")
    service.hidden.add("a")
    [task] = waiting(watcher, "a")
    await clock.advance(60)
    assert not task.done()

    service.put("a", "Succeeded")
    await clock.advance(INTERVAL)

    assert task.result().status == "Succeeded"
    assert set(service.asked_for) == {"a"}


async def test_one_absence_is_not_believed(watcher, service, clock):
    [task] = waiting(watcher, "a")
    await clock.advance(INTERVAL)
    assert not task.done()

    service.put("a")
    await clock.advance(60)

    assert not task.done()


async def test_two_absences_in_a_row_are_believed(watcher, clock):
    [task] = waiting(watcher, "a")

    await clock.advance(2 * INTERVAL)

    assert isinstance(task.exception(), JobNotFound)
    assert task.exception().job_id == "a"


async def test_absences_with_a_sight_between_them_are_not_in_a_row(watcher, service, clock):
    service.put("a")
    [task] = waiting(watcher, "a")
    for _ in range(3):
        job = service.jobs.pop("a")
        await clock.advance(INTERVAL)
        service.jobs["a"] = job
        await clock.advance(INTERVAL)

    assert not task.done()


@pytest.mark.parametrize("error", [ServiceUnavailable("no answer"), Throttled("slow down")])
async def test_an_unreadable_answer_by_name_is_no_absence(watcher, service, clock, error):
    service.get_errors = [error] * 10
    [task] = waiting(watcher, "a")

    await clock.advance(10 * INTERVAL)

    assert not task.done()


async def test_one_job_that_cannot_be_read_hides_no_other(watcher, service, clock):
    service.put("b", "Succeeded")
    service.hidden.add("b")
    service.get_errors = [ServiceUnavailable("no answer")]
    a, b = waiting(watcher, "a", "b")

    await clock.advance(INTERVAL)

    assert (a.done(), b.result().status) == (False, "Succeeded")


async def test_listed_jobs_wake_first_and_missed_ones_are_asked_for_at_the_same_time(clock, service, changes):
    asked, answer = [], asyncio.Event()

    async def run(call, *args):
        if call.__name__ == "_confirm":
            asked.extend(args)
            await answer.wait()
        else:
            assert call.__name__ == "look_at_list"
        return call(*args)

    watcher = Watcher(
        client=service,
        clock=clock,
        poll_interval_seconds=INTERVAL,
        deadlines=Deadlines(3600, 14400, clock),
        run=run,
        on_change=lambda job: changes.append(job.service_id),
    )
    for name in ("a", "b", "c", "d"):
        service.put(name, "Succeeded")
    service.hidden = {"a", "c", "d"}
    a, b, c, d = waiting(watcher, "a", "b", "c", "d")

    await clock.advance(INTERVAL)

    assert (asked, changes) == (["a", "c", "d"], ["b"])
    assert [task.done() for task in (a, b, c, d)] == [False, True, False, False]
    answer.set()
    await clock.settle()
    assert [task.result().service_id for task in (a, c, d)] == ["a", "c", "d"]
    assert service.lists == 1
    await watcher.close()


async def test_a_list_that_misses_everything_costs_no_endless_questions(watcher, service, clock):
    names = [f"job-{number}" for number in range(MOST_CONFIRMED + 20)]
    for name in names:
        service.put(name, "Succeeded")
        service.hidden.add(name)
    tasks = waiting(watcher, *names)

    await clock.advance(INTERVAL)
    assert (len(service.asked_for), sum(task.done() for task in tasks)) == (MOST_CONFIRMED, MOST_CONFIRMED)

    await clock.advance(INTERVAL)
    assert sorted(service.asked_for) == sorted(names)
    assert all(task.done() for task in tasks)


# Pages


async def test_pages_are_read_until_every_job_is_found(watcher, service, clock):
    service.page_size = 2
    for number in range(10):
        service.put(f"job-{number}", "Succeeded")
    [task] = waiting(watcher, "job-5")

    await clock.advance(INTERVAL)

    assert task.done()
    assert (service.pages_read, service.asked_for) == (3, [])


async def test_pages_older_than_every_known_job_are_not_read(watcher, service, clock):
    service.page_size = 1
    for number in range(10):
        service.put(f"old-{number}", "Succeeded")
        await clock.advance(60)
    service.put("a")
    waiting(watcher, "a")
    await clock.advance(INTERVAL)
    service.hidden.add("a")
    read = service.pages_read

    await clock.advance(INTERVAL)

    assert (service.pages_read - read, service.asked_for) == (1, ["a"])


async def test_a_job_that_was_never_seen_is_looked_for_on_every_page(watcher, service, clock):
    service.page_size = 1
    service.put("a", "Succeeded")
    for number in range(5):
        await clock.advance(60)
        service.put(f"new-{number}")
    [task] = waiting(watcher, "a")

    await clock.advance(INTERVAL)

    assert task.done()
    assert (service.pages_read, service.asked_for) == (6, [])


async def test_a_new_waiter_is_looked_for_beyond_the_jobs_that_are_known_already(watcher, service, clock):
    service.page_size = 1
    service.put("old", "Succeeded")
    for name in ("between", "also", "a"):
        await clock.advance(60)
        service.put(name)
    waiting(watcher, "a")
    await clock.advance(INTERVAL)

    [task] = waiting(watcher, "old")
    await clock.advance(INTERVAL)

    assert task.done()
    assert service.asked_for == []


# Errors


async def test_an_error_of_the_list_fails_no_job(watcher, service, clock, caplog):
    service.put("a")
    service.list_errors = [ServiceUnavailable("no answer"), Throttled("slow down"), ServiceUnavailable("garbage")]
    [task] = waiting(watcher, "a")
    await clock.advance(3 * INTERVAL)
    assert not task.done()
    assert caplog.text.count("the job list cannot be read, will ask again") == 1

    service.put("a", "Succeeded")
    await clock.advance(INTERVAL)

    assert task.result().status == "Succeeded"


async def test_the_window_closes_also_while_the_list_cannot_be_read(watcher, service, clock):
    service.list_errors = [ServiceUnavailable("no answer")] * 100
    [task] = waiting(watcher, "a", window=60)

    await clock.advance(60)

    assert isinstance(task.exception(), StillRunning)


async def test_refused_access_reaches_every_waiter(watcher, service, clock):
    service.list_errors = [AccessRefused("role missing")]
    tasks = waiting(watcher, "a", "b", "c")

    await clock.advance(INTERVAL)

    assert [type(task.exception()) for task in tasks] == [AccessRefused] * 3


async def test_refused_access_to_one_job_by_name_reaches_every_waiter(watcher, service, clock):
    service.put("b")
    service.get_errors = [AccessRefused("role missing")]
    tasks = waiting(watcher, "a", "b")

    await clock.advance(INTERVAL)

    assert [type(task.exception()) for task in tasks] == [AccessRefused] * 2


async def test_an_error_names_the_job_of_whoever_waited_for_it(watcher, service, clock):
    """Whoever waits fills in script and job (stages.py); what one fills in must not show at another."""
    service.list_errors = [AccessRefused("role missing")]
    first, second = waiting(watcher, "a", "b")
    await clock.advance(INTERVAL)

    first.exception().about(script_id="script of a", job_id="a")
    second.exception().about(script_id="script of b", job_id="b")

    assert (first.exception().script_id, second.exception().script_id) == ("script of a", "script of b")


async def test_a_mistake_of_our_own_leaves_nobody_waiting_for_ever(watcher, service, clock):
    service.put("a")
    service.list_errors = [ZeroDivisionError("a mistake")]
    [task] = waiting(watcher, "a", window=60)

    await clock.advance(3600)

    assert task.done()
    assert task.exception() is not None


async def test_a_listener_that_breaks_leaves_nobody_waiting_for_ever(clock, service):
    async def run(call, *args):
        return call(*args)

    def broken(_):
        raise ZeroDivisionError("a mistake")

    watcher = Watcher(
        client=service,
        clock=clock,
        poll_interval_seconds=INTERVAL,
        deadlines=Deadlines(3600, 14400, clock),
        run=run,
        on_change=broken,
    )
    service.put("a", "Succeeded")
    [task] = waiting(watcher, "a", window=60)

    await clock.advance(3600)
    await watcher.close()

    assert task.done()
    assert not task.cancelled()


# Windows and deadlines


async def test_a_window_that_closes_says_what_was_seen_last(watcher, service, clock):
    service.put("a", "Running")
    a, b = waiting(watcher, "a", window=60)[0], waiting(watcher, "b", window=15)[0]

    await clock.advance(60)

    assert isinstance(a.exception(), StillRunning)
    assert str(a.exception()) == "not ended yet, last seen Running [job a]"
    assert isinstance(b.exception(), JobNotFound | StillRunning)


async def test_a_job_that_ends_as_the_window_closes_has_ended(watcher, service, clock):
    service.put("a", "Succeeded")
    [task] = waiting(watcher, "a", window=INTERVAL)

    await clock.advance(INTERVAL)

    assert task.result().status == "Succeeded"


async def test_each_window_is_its_own(watcher, service, clock):
    service.put("a")
    service.put("b")
    [short], [long] = waiting(watcher, "a", window=20), waiting(watcher, "b", window=600)

    await clock.advance(30)

    assert isinstance(short.exception(), StillRunning)
    assert not long.done()


async def test_a_job_that_never_starts_is_overdue(watcher, service, clock):
    service.put("a")
    [task] = waiting(watcher, "a", window=1e6)
    await clock.advance(3600)
    assert not task.done()

    await clock.advance(INTERVAL)

    assert isinstance(task.exception(), JobOverdue)
    assert task.exception().job.service_id == "a"
    assert "still NotStarted 3610 s after its creation (deadline 3600 s)" in str(task.exception())


async def test_a_job_that_never_ends_is_overdue(watcher, service, clock):
    service.put("a", "Running")
    [task] = waiting(watcher, "a", window=1e6)
    await clock.advance(14400)
    assert not task.done()

    await clock.advance(INTERVAL)

    assert isinstance(task.exception(), JobOverdue)
    assert "still Running 14410 s after its creation (deadline 14400 s)" in str(task.exception())


async def test_a_job_that_has_ended_is_never_overdue(watcher, service, clock):
    service.put("a", "Succeeded")
    await clock.advance(1e6)
    [task] = waiting(watcher, "a")

    await clock.advance(INTERVAL)

    assert task.result().status == "Succeeded"


def job(status, age, *, created=True):
    now = CLOCK.now()
    return SynthesisJob(
        service_id="a",
        status=status,
        created_at=now - timedelta(seconds=age) if created else None,
        observed_at=now,
    )


def first_words(text):
    """Which deadline has passed, without what else is said of it."""
    return text and text.partition(";")[0]


@pytest.mark.parametrize(
    ("status", "age", "overdue"),
    [
        ("NotStarted", 100, None),
        ("NotStarted", 100.4, "still NotStarted 100 s after its creation (deadline 100 s)"),
        ("NotStarted", 1001, "still NotStarted 1001 s after its creation (deadline 100 s)"),
        ("Running", 101, None),
        ("Running", 1000, None),
        ("Running", 1001, "still Running 1001 s after its creation (deadline 1000 s)"),
        ("Resting", 101, None),
        ("Resting", 1001, "still Resting 1001 s after its creation (deadline 1000 s)"),
        ("Succeeded", 1e6, None),
        ("Failed", 1e6, None),
    ],
)
def test_the_two_deadlines_count_from_creation_by_the_services_clock(status, age, overdue):
    deadlines = Deadlines(100, 1000, CLOCK)
    deadlines.note_created("a", CLOCK.now() - timedelta(days=30))
    assert first_words(deadlines.overdue(job(status, age))) == overdue


@pytest.mark.parametrize(
    "shown", [1e6, 18_000, 63e9, -18_000, None], ids=["old", "5 h off", "year one", "ahead", "none"]
)
def test_a_job_is_not_older_than_its_create_was_answered_by_our_own_clock_whatever_it_shows(shown):
    clock = ManualClock(datetime(2026, 11, 21, 9, tzinfo=UTC))
    deadlines = Deadlines(100, 1000, clock)
    deadlines.note_created("a", clock.now() - timedelta(seconds=99))
    seen = job("NotStarted", shown or 0, created=shown is not None)
    assert deadlines.overdue(seen) is None

    deadlines.note_created("a", clock.now() - timedelta(seconds=101))
    assert first_words(deadlines.overdue(seen)) == "still NotStarted 101 s after its creation (deadline 100 s)"


async def test_a_job_whose_create_nobody_noted_is_as_old_as_it_is_known_here():
    clock = ManualClock(datetime(2026, 11, 21, 9, tzinfo=UTC))
    deadlines = Deadlines(100, 1000, clock)
    assert deadlines.overdue(job("NotStarted", 1e6)) is None
    await clock.advance(101)
    assert deadlines.overdue(job("NotStarted", 1e6)) is not None
    deadlines.forget("a")
    assert deadlines.overdue(job("NotStarted", 1e6)) is None


# Waiters that give up


async def test_a_cancelled_waiter_leaves_nothing_behind(watcher, service, clock):
    service.put("a")
    [task] = waiting(watcher, "a")
    await clock.advance(INTERVAL)

    task.cancel()
    await clock.advance(INTERVAL)
    lists = service.lists
    await clock.advance(3600)

    assert task.cancelled()
    assert (service.lists, clock.sleepers) == (lists, 0)


async def test_a_cancelled_waiter_disturbs_no_other(watcher, service, clock):
    service.put("a")
    service.put("b")
    a, b = waiting(watcher, "a", "b")
    await clock.advance(INTERVAL)

    a.cancel()
    service.put("a", "Succeeded")
    service.put("b", "Succeeded")
    await clock.advance(INTERVAL)

    assert b.result().status == "Succeeded"


async def test_a_cancelled_waiter_takes_nobodys_place(watcher, service, clock):
    """A step is taken again at once after its cancellation: the new waiter is not the old one."""
    service.put("a")
    [old] = waiting(watcher, "a")
    await clock.advance(INTERVAL)

    [new] = waiting(watcher, "a")
    await clock.settle()
    old.cancel()
    service.put("a", "Succeeded")
    await clock.advance(INTERVAL)

    assert new.done()
    assert new.result().status == "Succeeded"


async def test_closing_cancels_whoever_still_waits(watcher, service, clock):
    service.put("a")
    [task] = waiting(watcher, "a")
    await clock.advance(INTERVAL)

    await watcher.close()
    await clock.settle()

    assert task.cancelled()
    assert clock.sleepers == 0


async def test_closing_without_waiters_is_fine(watcher):
    await watcher.close()
    await watcher.close()


async def test_a_list_that_breaks_off_still_tells_what_it_told_and_the_rest_is_asked_for_by_name(
    watcher, service, clock
):
    service.page_size, service.breaks_after = 1, 1
    service.put("old", "Succeeded")
    service.put("new", "Succeeded")
    tasks = waiting(watcher, "old", "new")

    await clock.advance(INTERVAL)

    assert [task.result().service_id for task in tasks] == ["old", "new"]
    assert len(service.asked_for) == 1


# Outages


async def test_who_asks_whether_the_service_answers_learns_that_it_does_at_the_next_look(watcher, clock):
    asked = asyncio.create_task(watcher.answering())
    await clock.advance(INTERVAL)

    assert asked.result() is False
    assert not watcher.down


async def test_who_asks_in_an_outage_waits_for_its_end_however_long_it_takes(watcher, service, clock):
    service.list_errors = [ServiceUnavailable("no answer")] * 30
    asked = asyncio.create_task(watcher.answering())
    await clock.advance(INTERVAL)
    assert watcher.down
    await clock.advance(10 * 3600)

    assert asked.result() is True
    assert not watcher.down


async def test_a_long_outage_costs_a_look_in_ten_minutes_and_its_end_is_seen_within_a_quarter_of_it(
    watcher, service, clock
):
    service.list_errors = [ServiceUnavailable("no answer")] * 10_000
    asked = asyncio.create_task(watcher.answering())
    await clock.advance(8 * 3600)
    looks = service.lists
    assert looks <= 70
    service.list_errors = []
    await clock.advance(600)

    assert asked.done()
    assert service.lists == looks + 1


async def test_after_a_short_outage_a_look_comes_soon(watcher, service, clock):
    service.list_errors = [ServiceUnavailable("no answer")] * 10_000
    asked = asyncio.create_task(watcher.answering())
    await clock.advance(120)
    service.list_errors = []
    await clock.advance(30)

    assert asked.done()


async def test_the_time_of_an_outage_does_not_count_towards_a_jobs_deadlines(watcher, service, clock):
    service.put("a")
    [task] = waiting(watcher, "a", window=100_000)
    await clock.advance(600)
    service.list_errors = [ServiceUnavailable("no answer")] * 10_000
    await clock.advance(8 * 3600)
    service.list_errors = []
    await clock.advance(1200)
    assert not task.done()
    await clock.advance(3600)

    with pytest.raises(JobOverdue, match="still NotStarted 36"):
        await task


async def test_a_job_that_was_created_after_the_outage_has_no_excuse(watcher, service, clock):
    service.list_errors = [ServiceUnavailable("no answer")] * 3
    asked = asyncio.create_task(watcher.answering())
    await clock.advance(3600)
    assert asked.done()
    service.put("a")
    [task] = waiting(watcher, "a", window=100_000)
    await clock.advance(3600 + 2 * INTERVAL)

    with pytest.raises(JobOverdue):
        await task


async def test_who_asks_is_told_when_access_is_refused(watcher, service, clock):
    service.list_errors = [AccessRefused("wrong key")]
    asked = asyncio.create_task(watcher.answering())
    await clock.advance(INTERVAL)

    with pytest.raises(AccessRefused):
        await asked


async def test_closing_the_watcher_ends_whoever_asks(watcher, service, clock):
    service.list_errors = [ServiceUnavailable("no answer")] * 100
    asked = asyncio.create_task(watcher.answering())
    await clock.advance(INTERVAL)
    await watcher.close()

    with pytest.raises(asyncio.CancelledError):
        await asked


async def test_an_outage_counts_from_the_pause_that_it_may_have_begun_in(clock, service, changes):
    deadlines = Deadlines(start_seconds=3600, job_seconds=14400, clock=clock)

    async def run(call, *args):
        return call(*args)

    watcher = Watcher(
        client=service,
        clock=clock,
        poll_interval_seconds=INTERVAL,
        deadlines=deadlines,
        run=run,
        on_change=changes.append,
    )
    service.list_errors = [ServiceUnavailable("no answer")]
    service.put("a")
    waiting(watcher, "a", expected=1000)
    await clock.advance(60 + INTERVAL)
    await watcher.close()

    assert [took for _, took in deadlines.outages] == [60 + INTERVAL]


# When it looks


async def test_a_job_that_is_predicted_to_take_long_costs_a_look_a_minute(watcher, service, clock):
    service.put("a")
    waiting(watcher, "a", expected=1000)

    await clock.advance(300)

    assert service.lists == 5


async def test_a_job_is_looked_at_often_once_it_may_end(watcher, service, clock):
    service.put("a")
    [task] = waiting(watcher, "a", expected=148)
    await clock.advance(150)
    service.put("a", "Succeeded")

    await clock.advance(INTERVAL)

    assert task.done()


async def test_a_thousand_creates_cause_no_look(watcher, service, clock):
    for number in range(1000):
        service.put(f"job-{number}")
        watcher.mine(f"job-{number}")
        waiting(watcher, f"job-{number}", expected=300)
        await clock.advance(0.05)

    assert service.lists == 0
    assert clock.sleepers == 1


async def test_a_job_that_ends_soon_ends_a_long_pause(watcher, service, clock):
    service.put("long")
    waiting(watcher, "long", expected=1000)
    await clock.advance(5)

    service.put("short")
    [task] = waiting(watcher, "short", expected=5)
    await clock.settle()
    assert service.lists == 0
    service.put("short", "Succeeded")
    await clock.advance(INTERVAL)

    assert (task.done(), service.lists, clock.sleepers) == (True, 1, 1)


async def test_a_job_without_a_prediction_ends_a_long_pause_within_an_interval(watcher, service, clock):
    service.put("long")
    waiting(watcher, "long", expected=1000)
    await clock.advance(5)

    service.put("a", "Succeeded")
    [task] = waiting(watcher, "a")
    await clock.advance(INTERVAL)

    assert (task.done(), service.lists) == (True, 1)


async def test_who_asks_whether_the_service_answers_ends_a_long_pause_within_an_interval(watcher, service, clock):
    service.put("long")
    waiting(watcher, "long", expected=1000)
    await clock.advance(5)

    asked = asyncio.create_task(watcher.answering())
    await clock.advance(INTERVAL)

    assert (asked.done(), service.lists) == (True, 1)


async def test_who_comes_in_an_outage_does_not_end_its_pause(watcher, service, clock):
    service.list_errors = [ServiceUnavailable("no answer")] * 10_000
    asked = asyncio.create_task(watcher.answering())
    await clock.advance(3600)
    looks = service.lists

    waiting(watcher, "a", expected=5)
    again = asyncio.create_task(watcher.answering())
    await clock.advance(INTERVAL)

    assert service.lists == looks
    assert not asked.done()
    assert not again.done()


async def test_nobody_is_left_then_the_pause_ends_without_a_look(watcher, service, clock):
    service.put("a")
    [task] = waiting(watcher, "a", expected=1000)
    await clock.advance(5)

    task.cancel()
    await clock.advance(3600)

    assert (service.lists, clock.sleepers) == (0, 0)


async def test_a_job_that_is_adopted_is_looked_at_by_its_age(watcher, service, clock):
    service.put("a")
    await clock.advance(140)
    watcher.learn(list(service.jobs.values()))
    service.put("a", "Succeeded")

    [task] = waiting(watcher, "a", expected=148)
    await clock.advance(INTERVAL)

    assert task.done()


async def test_a_predicted_job_that_one_look_misses_is_not_asked_for_by_name(watcher, service, clock):
    service.put("a")
    service.hidden.add("a")
    waiting(watcher, "a", expected=1000)
    await clock.advance(60)
    assert (service.lists, service.asked_for) == (1, [])

    await clock.advance(60)
    assert (service.lists, service.asked_for) == (2, ["a"])


async def test_a_predicted_job_that_is_gone_is_believed_to_be_so_after_two_absences_by_name(watcher, clock, service):
    [task] = waiting(watcher, "a", expected=1000)

    await clock.advance(180)

    assert isinstance(task.exception(), JobNotFound)
    assert service.asked_for == ["a", "a"]


async def test_a_new_job_is_not_looked_for_on_pages_older_than_itself(watcher, service, clock):
    service.page_size = 1
    for number in range(10):
        service.put(f"old-{number}", "Succeeded")
        await clock.advance(60)
    service.put("a")
    service.hidden.add("a")
    watcher.mine("a")
    waiting(watcher, "a")

    await clock.advance(INTERVAL)

    assert service.pages_read == 2


# Jobs of others


async def test_unfinished_jobs_that_nobody_here_waits_for_are_others(watcher, service, clock, others):
    for name, status in {"x": "Running", "y": "NotStarted", "z": "Succeeded", "w": "Failed", "a": "Running"}.items():
        service.put(name, status)
    waiting(watcher, "a")

    await clock.advance(INTERVAL)

    assert others == [2]


async def test_every_look_tells_how_many_others_there_are(watcher, service, clock, others):
    service.put("a")
    service.put("x")
    waiting(watcher, "a")
    await clock.advance(2 * INTERVAL)
    service.put("x", "Succeeded")
    await clock.advance(INTERVAL)

    assert others == [1, 1, 0]


async def test_a_job_that_was_just_created_here_is_no_others(watcher, service, clock, others):
    service.put("a")
    waiting(watcher, "a")
    service.put("b")
    watcher.mine("b")
    await clock.advance(INTERVAL)
    waiting(watcher, "b")
    await clock.advance(INTERVAL)

    assert others == [0, 0]


async def test_what_is_ours_after_all_is_told_at_once(watcher, service, others, clock):
    for name in ("a", "b", "c"):
        service.put(name)
    watcher.learn(list(service.jobs.values()))

    watcher.mine("a")
    waiting(watcher, "b")
    await clock.settle()

    assert others == [3, 2, 1]


async def test_a_job_that_is_not_waited_for_in_five_minutes_is_one_of_the_others(watcher, service, clock, others):
    service.put("a")
    service.put("b")
    watcher.mine("b")
    waiting(watcher, "a")

    await clock.advance(320)

    assert others == [0] * 29 + [1] * 3


async def test_between_two_windows_a_job_is_no_others(watcher, service, clock, others):
    service.put("a")
    service.put("b")
    [task, _] = waiting(watcher, "a", window=15), waiting(watcher, "b", window=600)
    await clock.advance(4 * INTERVAL)
    waiting(watcher, "a")
    await clock.advance(INTERVAL)

    assert isinstance(task[0].exception(), StillRunning)
    assert others == [0] * 5


async def test_a_job_that_is_given_up_is_one_of_the_others(watcher, service, clock, others):
    service.put("a")
    service.put("b", "Running")
    waiting(watcher, "a", "b", window=1e6)

    await clock.advance(3600 + 2 * INTERVAL)

    assert others[-2:] == [0, 1]


async def test_others_beyond_the_pages_that_are_read_are_remembered(watcher, service, clock, others):
    service.page_size = 1
    service.put("deep")
    await clock.advance(60)
    watcher.learn(list(service.jobs.values()))
    service.put("a")
    watcher.mine("a")
    waiting(watcher, "a")

    await clock.advance(4 * INTERVAL)

    assert service.pages_read == 4
    assert others == [1] * 5


async def test_a_deep_job_of_others_is_looked_for_every_five_minutes(watcher, service, clock, others):
    service.page_size = 1
    service.put("deep")
    for number in range(3):
        await clock.advance(60)
        service.put(f"middle-{number}", "Succeeded")
    await clock.advance(60)
    watcher.learn(list(service.jobs.values()))
    service.put("a")
    watcher.mine("a")
    waiting(watcher, "a", window=1e6)
    service.put("deep", "Succeeded")

    await clock.advance(290)
    assert (service.pages_read, others[-1]) == (29, 1)
    await clock.advance(INTERVAL)
    assert (service.pages_read, others[-1]) == (29 + 5, 0)
    await clock.advance(600)
    assert (service.pages_read, others[-1]) == (29 + 5 + 60, 0)


@pytest.mark.parametrize("ends", ["Succeeded", None])
async def test_a_look_that_covers_a_job_of_others_sees_its_end(watcher, service, clock, others, ends):
    service.put("a")
    await clock.advance(60)
    service.put("x")
    waiting(watcher, "a")
    await clock.advance(INTERVAL)
    if ends:
        service.put("x", ends)
    else:
        del service.jobs["x"]
    await clock.advance(INTERVAL)

    assert others == [1, 0]


async def test_a_list_that_breaks_off_forgets_nobody_it_did_not_show(watcher, service, clock, others):
    service.page_size = 1
    for name in ("x", "a", "y"):
        service.put(name)
        await clock.advance(60)
    watcher.learn(list(service.jobs.values()))
    service.breaks_after = 1
    waiting(watcher, "a")

    await clock.advance(INTERVAL)

    assert others == [3, 2, 2]


async def test_a_job_that_is_stuck_for_ever_is_not_counted_for_ever(watcher, service, clock, others):
    service.put("x")
    await clock.advance(2 * 14400)
    service.put("a")
    waiting(watcher, "a")

    await clock.advance(INTERVAL)

    assert others == [0]


async def test_a_look_over_some_pages_misses_who_has_gone_from_them(watcher, service, clock, others):
    service.page_size = 1
    for name, status in {"old": "Succeeded", "a": "Running", "x": "Running"}.items():
        service.put(name, status)
        await clock.advance(60)
    waiting(watcher, "a")
    await clock.advance(INTERVAL)
    del service.jobs["x"]
    await clock.advance(INTERVAL)

    assert (others, service.pages_read) == ([1, 0], 3)


async def test_a_list_of_one_page_shows_who_has_gone_however_old(watcher, service, clock, others):
    service.put("old")
    await clock.advance(60)
    service.put("a")
    watcher.learn(list(service.jobs.values()))
    del service.jobs["old"]
    waiting(watcher, "a")

    await clock.advance(INTERVAL)

    assert others[-1] == 0


async def test_a_job_that_was_waited_for_is_ours_no_longer(watcher, service, clock, others):
    service.put("a")
    service.put("b")
    watcher.mine("a")
    [task, _] = waiting(watcher, "a", "b")
    await clock.advance(INTERVAL)
    task.cancel()
    await clock.advance(INTERVAL)

    assert others == [0, 1]


@pytest.mark.parametrize("hours", [-3, 3])
async def test_a_clock_that_is_off_changes_no_pause(watcher, service, clock, hours):
    service.ahead = timedelta(hours=hours)
    service.put("a")
    waiting(watcher, "a", expected=1000)
    await clock.advance(300)
    assert service.lists == 5

    service.put("b")
    [task] = waiting(watcher, "b", expected=148)
    await clock.advance(150)
    service.put("b", "Succeeded")
    await clock.advance(INTERVAL)

    assert task.done()


async def test_an_outage_that_nobody_waited_out_is_looked_at_when_it_was_due(watcher, service, clock):
    service.list_errors = [ServiceUnavailable("no answer")] * 10_000
    waiting(watcher, "a", window=3600)
    await clock.advance(5000)
    looks = service.lists
    assert clock.sleepers == 0

    asked = asyncio.create_task(watcher.answering())
    service.list_errors = []
    await clock.advance(INTERVAL)

    assert (asked.done(), service.lists) == (True, looks + 1)


async def test_nobody_who_comes_back_makes_an_outage_cost_more_looks(watcher, service, clock):
    service.list_errors = [ServiceUnavailable("no answer")] * 10_000
    for _ in range(12):
        [task] = waiting(watcher, "a", window=300)
        while not task.done():
            await clock.advance(INTERVAL)

    assert service.lists <= 30


async def test_who_asks_while_jobs_are_asked_for_by_name_waits_for_one_interval(clock, service):
    answer = asyncio.Event()

    async def run(call, *args):
        if call.__name__ == "_confirm":
            await answer.wait()
        return call(*args)

    watcher = Watcher(
        client=service,
        clock=clock,
        poll_interval_seconds=INTERVAL,
        deadlines=Deadlines(3600, 14400, clock),
        run=run,
        on_change=lambda _: None,
    )
    service.put("far")
    service.put("a", "Succeeded")
    service.hidden = {"a"}
    waiting(watcher, "a")
    waiting(watcher, "far", expected=1000)
    await clock.advance(INTERVAL)
    asked = asyncio.create_task(watcher.answering())
    await clock.settle()
    answer.set()
    await clock.advance(INTERVAL)
    await watcher.close()

    assert asked.done()
    assert service.lists == 2
