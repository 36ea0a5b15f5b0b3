"""The real core over simulated services: whole batches in virtual time, judged by what the services saw."""

import logging
from datetime import UTC, datetime

import pytest

from batch_avatar.archive.records import Claim
from batch_avatar.planning.order import Order
from batch_avatar.receipt import Attempt, Receipt, StoredBlob
from batch_avatar.rendering.runner import render_scripts
from benchmarks.bounds import packed_optimum
from benchmarks.cases import Case, judge_case, run_case
from benchmarks.core import Options, chain_of, open_simulated, render_with_core
from benchmarks.footprint import measure_cpu, measure_memory
from benchmarks.memory_archive import MemoryArchive
from benchmarks.service import SimulatedService
from benchmarks.virtual_time import LoopClock, run_virtually
from benchmarks.workload import SEEDS, draw_workload
from tests.support.manual_clock import ManualClock

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _quiet():
    logging.disable(logging.WARNING)
    yield
    logging.disable(logging.NOTSET)


# Whole batches


def test_a_batch_is_rendered_once_noticed_soon_and_cleaned_up():
    judged, (service,) = judge_case(Case(60, seed=1))

    assert (judged.scripts, judged.jobs, judged.refusals, judged.billed_ratio) == (60, 60, 0, 1.0)
    assert judged.over_bound < 1.1
    assert judged.lag_mean_seconds < 5
    assert all(job.deleted_at is not None for job in service.jobs)


def test_the_same_seed_gives_the_same_figures():
    assert run_case(Case(40, seed=2)) == run_case(Case(40, seed=2))


def test_a_second_run_over_the_same_archive_sends_nothing():
    workload = draw_workload(10, seed=1)
    options = Options()

    async def work():
        clock = LoopClock()
        service = SimulatedService(clock, workload.renderings)
        async with open_simulated([service], clock, options):
            first, again = [await render_scripts(workload.scripts, chain_of(options)) for _ in range(2)]
            return first.archived, again.skipped, len(service.jobs)

    assert run_virtually(work()) == (10, 10, 10)


def test_scripts_that_no_service_knows_end_as_failures_and_not_as_a_hang():
    workload = draw_workload(3, seed=1)

    async def work():
        clock = LoopClock()
        return await render_with_core([SimulatedService(clock, {})], clock, workload.scripts)

    report = run_virtually(work())
    assert (report.archived, report.failed) == (0, 3)


# Order and slots


def test_longest_first_is_shorter_than_the_order_of_the_manifest_where_slots_are_short():
    for seed in SEEDS[:3]:
        longest = run_case(Case(100, seed=seed, slots=20))
        manifest = run_case(Case(100, seed=seed, slots=20, order=Order.MANIFEST))
        assert longest.most_in_flight == manifest.most_in_flight == 20
        assert longest.makespan_seconds < manifest.makespan_seconds


def test_no_slot_stays_empty_while_scripts_wait():
    judged = run_case(Case(400, seed=1, slots=20))

    assert judged.over_bound < 1.05
    assert judged.slot_use > 0.95


# Pace


def test_a_paced_batch_takes_hardly_longer_than_its_creates():
    judged = run_case(Case(100, seed=1, service_pace=2))

    assert judged.refusals == 0
    assert judged.over_bound < 1.02


@pytest.mark.parametrize(
    "case",
    [
        Case(300, seed=1, service_pace=2, configured_pace=4),
        Case(300, seed=1, service_pace=60, configured_pace=0),
        Case(300, seed=1, service_pace=60, others_every_seconds=4),
    ],
    ids=["configured twice too high", "unpaced", "shared with another client"],
)
def test_a_pace_that_is_not_what_the_service_accepts_is_found_out_with_few_refusals(case):
    judged = run_case(case)

    assert judged.refusals_per_1000 <= 10
    assert judged.jobs == 300


# Packs


@pytest.mark.parametrize("seed", SEEDS[:3])
def test_packs_take_hardly_longer_than_if_all_of_them_ended_together(seed):
    """With the longest scripts first, packs of as many scripts each take three times as long."""
    case = Case(300, seed=seed, service_pace=2, pack=0)
    workload = draw_workload(300, seed=seed)
    judged = run_case(case)

    assert judged.makespan_seconds < 1.25 * packed_optimum(workload.render_seconds, spacing_seconds=30)
    assert judged.billed_ratio == 1.0


def test_a_fixed_size_makes_no_pack_that_must_miss_the_jobs_deadline():
    """A hundred of the longest scripts one after another take ten hours; nothing late may be sent again."""
    judged, (service,) = judge_case(Case(300, seed=1, service_pace=2, pack=100))

    assert judged.scripts == 300
    assert max(job.ends_at - job.created_at for job in service.jobs) < 4 * 3600


def test_packs_grow_where_inputs_render_side_by_side():
    side_by_side = run_case(Case(500, seed=1, service_pace=2, pack=0, rendering="parallel"))
    in_a_row = run_case(Case(500, seed=1, service_pace=2, pack=0))

    assert side_by_side.jobs < in_a_row.jobs / 2
    assert side_by_side.makespan_seconds < in_a_row.makespan_seconds / 2


# Several resources


def test_four_resources_create_four_times_as_fast():
    one, four = (run_case(Case(120, seed=1, service_pace=2, resources=count)) for count in (1, 4))

    assert one.makespan_seconds / four.makespan_seconds > 3.5


def test_every_resource_gets_its_share():
    _, services = judge_case(Case(100, seed=1, service_pace=2, resources=4))

    assert [len(service.jobs) for service in services] == [25, 25, 25, 25]


# Other clients


def test_jobs_of_another_client_are_no_ones_figures():
    judged, (service,) = judge_case(Case(40, seed=1, service_pace=60, others_every_seconds=4))

    assert judged.jobs == len(service.jobs) == 40
    assert not any(job.job_id.startswith("other") for job in service.jobs)


# What it needs


def test_what_a_run_needs_of_the_machine_is_measured():
    assert measure_cpu(Case(20, seed=1)) > 0
    assert 100_000 < measure_memory(Case(20, seed=1)) < 20_000_000


# The archive that stands in


def claim(**changes):
    attempt = Attempt(number=1, job_id="s-0123456789abcdef-1")
    facts = {"script_id": "s", "content_id": "0123456789abcdef", "run": "r", "holder": "h", "resource": "x"}
    return Claim(**facts, api_version="2024-08-01", attempts=(attempt,)).model_copy(update=changes)


def receipt(**changes):
    video = StoredBlob(
        blob_name="s/0123456789abcdef/1/video.mp4", size_bytes=1, sha256="0", content_md5="0", content_type="video/mp4"
    )
    facts = claim().ref().model_dump(exclude={"resource"})
    whole = Receipt(**facts, run="r", resource="x", api_version="2024-08-01", archived_at=NOW, video=video)
    return whole.model_copy(update=changes)


@pytest.fixture
def archive():
    return MemoryArchive(ManualClock())


def test_only_the_first_claim_is_written(archive):
    assert archive.create_claim(claim()) is not None
    assert archive.create_claim(claim(run="other")) is None
    assert archive.read_claim("s", "0123456789abcdef").claim.run == "r"


def test_a_claim_is_replaced_only_over_the_version_that_was_read(archive):
    held = archive.create_claim(claim())
    newer = archive.replace_claim(held, claim(run="second"))

    assert archive.replace_claim(held, claim(run="third")) is None
    assert archive.replace_claim(newer, claim(run="fourth")) is not None
    assert archive.read_claim("s", "0123456789abcdef").claim.run == "fourth"


async def test_a_claim_grows_older_until_it_is_written_again():
    clock = ManualClock()
    archive = MemoryArchive(clock)
    held = archive.create_claim(claim())
    await clock.advance(100)
    assert archive.read_claim("s", "0123456789abcdef").age_seconds == 100
    archive.replace_claim(held, claim())
    assert archive.read_claim("s", "0123456789abcdef").age_seconds == 0


def test_of_two_receipts_the_first_counts_and_its_video_is_there(archive):
    assert archive.write_receipt(receipt()).run == "r"
    assert archive.write_receipt(receipt(run="slower")).run == "r"
    assert archive.index().is_whole(("s", "0123456789abcdef"))


def test_what_was_never_written_is_not_there(archive):
    assert archive.read_claim("s", "0") is None
    assert archive.read_receipt("s", "0") is None
    assert archive.read_pack("0") is None
    assert archive.read_dead_letter("0") is None
    assert archive.index().claims == {}
