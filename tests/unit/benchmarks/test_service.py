"""The simulated service keeps the limits of a real one, and counts what it sees."""

import pytest

from batch_avatar.errors import DeleteRefused, JobExists, JobNotFound, RequestRefused, Throttled, TooManyJobs
from batch_avatar.models import JobRef, Script
from benchmarks.service import SimulatedService
from benchmarks.workload import Rendering
from tests.support.manual_clock import ManualClock

TEXTS = {"short": Rendering(30, 2.5, 4.0), "long": Rendering(600, 40.7, 69.0)}


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def service(clock):
    return SimulatedService(clock, TEXTS)


def script(content="short"):
    return Script(script_id="s", content=content)


def create(service, name, content="short"):
    return service.create(script(content), job_id=name, description="batch-avatar:0")


def shown(service):
    return [[job.service_id for job in page.jobs] for page in service.list_pages()]


# How a job goes


async def test_a_job_starts_after_its_delay_and_ends_after_its_render_time(clock, service):
    statuses = [create(service, "job").status]
    for seconds in (0.9, 0.1, 3.9, 0.1):
        await clock.advance(seconds)
        statuses.append(service.get("job").status)

    assert statuses == ["NotStarted", "NotStarted", "Running", "Running", "Succeeded"]


async def test_a_job_that_ended_tells_times_length_bill_and_links(clock, service):
    created = create(service, "job", "long")
    await clock.advance(100)
    job = service.get("job")

    assert (job.job_id, job.description, job.resource) == ("job", "batch-avatar:0", service.host)
    assert job.created_at == created.created_at == ManualClock().now()
    assert (job.last_action_at - job.created_at).total_seconds() == 70
    assert (job.observed_at - job.created_at).total_seconds() == 100
    assert (job.duration_milliseconds, job.billed_seconds, job.billed_characters) == (40_700, 40, 600)
    assert job.result_link is not None
    assert job.summary_link is not None


async def test_a_job_that_has_not_ended_shows_no_links(clock, service):
    create(service, "job")
    await clock.advance(2)

    assert service.get("job").result_link is None


async def test_the_service_tells_its_own_time_in_whole_seconds(clock, service):
    await clock.advance(0.75)

    assert create(service, "job").observed_at.microsecond == 0


@pytest.mark.parametrize(("rendering", "seconds"), [("sequential", 1 + 4 + 69 + 4), ("parallel", 1 + 69)])
async def test_inputs_of_a_pack_render_one_after_another_or_all_at_once(clock, rendering, seconds):
    service = SimulatedService(clock, TEXTS, rendering=rendering)
    service.create(script(), contents=["short", "long", "short"], job_id="pack", description="")
    await clock.advance(seconds - 0.01)
    before = service.get("pack")
    await clock.advance(0.01)
    after = service.get("pack")

    assert (before.terminal, after.terminal) == (False, True)
    assert (after.duration_milliseconds, after.billed_seconds) == (45_700, 2 + 40 + 2)


async def test_a_text_without_a_render_time_is_refused(service):
    with pytest.raises(RequestRefused):
        create(service, "job", "unheard of")
    assert service.jobs == []


async def test_a_name_that_is_taken_is_refused_until_its_job_is_deleted(clock, service):
    create(service, "job")
    with pytest.raises(JobExists):
        create(service, "job")
    await clock.advance(5)
    service.delete("job")

    assert create(service, "job").status == "NotStarted"
    assert len(service.jobs) == 2


async def test_a_check_that_raises_prevents_the_create_and_nothing_is_counted(service):
    def check():
        raise InterruptedError

    with pytest.raises(InterruptedError):
        service.create(script(), job_id="job", description="", check=check)
    assert (service.jobs, service.requests["create"]) == ([], 0)


async def test_an_absent_job_is_not_found_and_looks_like_nothing(service):
    ref = JobRef(script_id="s", content_id="c", attempt=1, job_id="job", service_id="job")
    with pytest.raises(JobNotFound):
        service.get("job")
    assert service.look(ref) is None
    create(service, "job")

    assert service.look(ref).service_id == "job"


async def test_only_a_job_that_has_ended_can_be_deleted_and_twice_is_as_good_as_once(clock, service):
    create(service, "job")
    with pytest.raises(DeleteRefused):
        service.delete("job")
    await clock.advance(5)
    service.delete("job")
    service.delete("job")

    assert shown(service) == [[]]
    assert service.jobs[0].deleted_at == 5


# Limits


async def test_no_more_jobs_than_slots_are_unfinished_and_one_that_ends_makes_room(clock):
    service = SimulatedService(clock, TEXTS, slots=2)
    create(service, "a")
    create(service, "b", "long")
    with pytest.raises(Throttled, match="too many active jobs") as refused:
        create(service, "c")
    await clock.advance(5)
    create(service, "c")

    assert refused.value.retry_after_seconds is None
    assert (service.in_flight(), service.most_in_flight) == (2, 2)
    assert [(refusal.at, refusal.reason, refusal.accepted_before) for refusal in service.refusals] == [(0, "slots", 2)]


async def test_creates_of_the_last_minute_are_limited_and_the_answer_says_how_long_to_wait(clock):
    service = SimulatedService(clock, TEXTS, creates_per_minute=2)
    create(service, "a")
    await clock.advance(10.5)
    create(service, "b")
    with pytest.raises(Throttled) as refused:
        create(service, "c")
    await clock.advance(refused.value.retry_after_seconds)
    create(service, "c")
    with pytest.raises(Throttled) as refused_again:
        create(service, "d")

    assert (refused.value.retry_after_seconds, refused.value.http_status) == (50, 429)
    assert refused_again.value.retry_after_seconds == 10
    assert [refusal.reason for refusal in service.refusals] == ["pace", "pace"]


async def test_waiting_exactly_as_long_as_told_is_enough(clock):
    service = SimulatedService(clock, TEXTS, creates_per_minute=1)
    for number in range(50):
        await clock.advance(60 + number / 7)  # times that no float holds exactly
        create(service, f"j{number}")
        with pytest.raises(Throttled) as refused:
            create(service, "too soon")
        assert refused.value.retry_after_seconds == 60


async def test_a_create_that_is_refused_for_another_reason_than_the_pace_spends_it_all_the_same(clock):
    service = SimulatedService(clock, TEXTS, creates_per_minute=2)
    create(service, "a")
    with pytest.raises(JobExists):
        create(service, "a")
    with pytest.raises(Throttled):
        create(service, "b")


# The list


async def test_the_list_shows_the_newest_first_a_hundred_a_page(clock):
    service = SimulatedService(clock, TEXTS, slots=1000)
    for number in range(250):
        create(service, f"j{number}")
    pages = list(service.list_pages())

    assert [len(page.jobs) for page in pages] == [100, 100, 50]
    assert [job.service_id for page in pages for job in page.jobs] == [f"j{number}" for number in reversed(range(250))]
    assert [page.next_link is None for page in pages] == [False, False, True]
    assert service.requests["list"] == 3


async def test_a_full_last_page_has_no_next(service):
    for number in range(100):
        create(service, f"j{number}")

    assert [page.next_link for page in service.list_pages()] == [None]


async def test_pages_that_are_not_asked_for_are_not_read(service):
    for number in range(150):
        create(service, f"j{number}")
    next(iter(service.list_pages()))

    assert service.requests["list"] == 1


async def test_jobs_deleted_between_two_pages_hide_others_unless_pages_overlap(clock):
    def seen(*, overlap):
        service = SimulatedService(clock, TEXTS, slots=1000, start_delay_seconds=-4.0)  # ended when created
        for number in range(150):
            create(service, f"j{number}")
        names = set()
        for page in service.list_pages(overlap=overlap):
            names |= {job.service_id for job in page.jobs}
            for job in page.jobs[:20]:
                service.delete(job.service_id)
        return names

    assert len(seen(overlap=False)) == 130
    assert len(seen(overlap=True)) == 150


async def test_the_list_shows_a_job_late_and_get_shows_it_at_once(clock):
    service = SimulatedService(clock, TEXTS, list_lag_seconds=2.0)
    create(service, "old")
    await clock.advance(1)
    create(service, "new")
    await clock.advance(1)

    assert shown(service) == [["old"]]
    assert service.get("new").service_id == "new"
    await clock.advance(1)
    assert shown(service) == [["new", "old"]]


# What is counted


async def test_lag_is_from_the_end_to_the_first_answer_that_shows_it(clock, service):
    create(service, "a")  # ends at 5
    create(service, "b", "long")  # ends at 70
    create(service, "c")  # ends at 5, and nobody asks
    await clock.advance(4)
    service.get("a")
    await clock.advance(4.5)
    service.get("a")
    await clock.advance(1)
    service.get("a")
    await clock.advance(60.5)
    service.delete("c")
    list(service.list_pages())

    assert [job.lag_seconds for job in service.jobs] == [3.5, 0, None]


async def test_requests_are_counted_by_kind_refused_ones_included(clock, service):
    create(service, "a")
    with pytest.raises(JobExists):
        create(service, "a")
    with pytest.raises(JobNotFound):
        service.get("b")
    list(service.list_pages())
    await clock.advance(5)
    service.delete("a")

    assert service.requests == {"create": 2, "get": 1, "list": 1, "delete": 1}


async def test_a_lower_bound_counts_the_start_delay_to_the_slot(service):
    assert service.slot_seconds(69) == 70


# Another client


async def test_another_clients_job_takes_a_create_and_a_slot_is_listed_and_no_figure(clock):
    service = SimulatedService(clock, TEXTS, creates_per_minute=2, slots=2)
    assert service.take_by_others("other", TEXTS["long"])
    create(service, "mine")
    await clock.advance(30)
    assert not service.take_by_others("late", TEXTS["long"]), "both creates of this minute are spent"

    assert shown(service) == [["mine", "other"]]
    assert service.in_flight() == 1
    assert [job.job_id for job in service.jobs] == ["mine"]
    assert service.requests["create"] == 1
    assert service.refusals == []


async def test_another_client_gets_no_job_where_no_slot_is_free(clock):
    service = SimulatedService(clock, TEXTS, slots=1)
    create(service, "mine")

    assert not service.take_by_others("other", TEXTS["short"])


def test_a_service_that_forgets_its_jobs_shows_none(service):
    create(service, "job")
    service.forget()

    assert (service.jobs, shown(service), service.in_flight()) == ([], [[]], 0)


def test_too_many_jobs_are_told_apart_from_too_many_creates(clock):
    service = SimulatedService(clock, TEXTS, slots=1)
    create(service, "first")

    with pytest.raises(TooManyJobs):
        create(service, "second")
