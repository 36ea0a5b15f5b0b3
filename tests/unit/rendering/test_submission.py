"""From claim to create against a real storage and the emulated service, in time that does not have to pass."""

import asyncio
from datetime import UTC, datetime

import pytest

from batch_avatar.archive.records import Claim, DeadLetter
from batch_avatar.emulator.faults import DropAfter, FailJob, FaultRule, Status
from batch_avatar.emulator.options import Progression
from batch_avatar.errors import (
    AccessRefused,
    AlreadyArchived,
    ClaimedElsewhere,
    CreateUnclear,
    JobError,
    RequestRefused,
    ResultLost,
)
from batch_avatar.identity import derive_job_id, mark_description, recorded_form
from batch_avatar.models import FailureFacts
from batch_avatar.planning.permits import Permits
from batch_avatar.planning.stubborn import MAX_SENDS
from batch_avatar.receipt import Attempt
from batch_avatar.rendering.submission import MAX_ATTEMPT_NUMBER, Submission, update_last
from tests.support.scripts import script

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
SCRIPT = script("intro")
PREVIEW = "3.1-preview1"
SETTLE_SECONDS = 60  # as the settings have it


def name_of(run, number=1):
    return derive_job_id("intro", run.content_id_of(SCRIPT), number)


def attempt(run, number=1, **members):
    return Attempt(number=number, job_id=name_of(run, number), **{"batch": run.name, **members})


def write_claim(run, *attempts, holder="another", resource=None):
    """As another run has left it."""
    claim = Claim(
        script_id="intro",
        content_id=run.content_id_of(SCRIPT),
        run="earlier",
        holder=holder,
        resource=resource or run.connections.resource_of("").host,
        api_version=run.connections.settings.api_version,
        form=recorded_form(SCRIPT),
        attempts=attempts,
    )
    assert run.connections.archive.create_claim(claim)


def read_claim(run):
    return run.connections.archive.read_claim("intro", run.content_id_of(SCRIPT)).claim


async def create(b, run, *, archive_id=None):
    """A job of this script's, sent past any claim."""
    mark = mark_description(None, archive_id or run.connections.archive.archive_id)
    job = await run.connections.control(
        run.connections.resource_of("").client.create, SCRIPT, job_id=name_of(run), description=mark
    )
    await asyncio.to_thread(b.emulator.settle)
    return job


def every(action, **members):
    return FaultRule(operation="create", action=action, **members)


# One create


@pytest.mark.parametrize("api_version", ["2024-08-01", PREVIEW])
async def test_a_new_script_is_claimed_sent_once_and_known_as_paid(bench, api_version):
    b = bench()
    async with b.open(api_version=api_version) as run:
        ref = await Submission(run, SCRIPT, run.connections.resource_of("")).submit()
        claim = read_claim(run)

        assert (ref.job_id, ref.attempt, b.accepted()) == (name_of(run), 1, [name_of(run)])
        assert (claim.holder, claim.run, claim.resource) == (run.holder, "r", run.connections.resource_of("").host)
        assert claim.form == recorded_form(SCRIPT)
        assert claim.last.accepted_at is not None
        assert (ref.service_id == ref.job_id) is (api_version != PREVIEW)
        assert claim.ref() == ref


@pytest.mark.parametrize("api_version", ["2024-08-01", PREVIEW])
async def test_the_same_script_again_adopts_its_job(bench, api_version):
    b = bench()
    async with b.open(api_version=api_version) as run:
        first = await Submission(run, SCRIPT, run.connections.resource_of("")).submit()
        claim = read_claim(run)

        assert await Submission(run, SCRIPT, run.connections.resource_of("")).submit() == first
        assert (b.accepted(), read_claim(run)) == ([name_of(run)], claim)


@pytest.mark.parametrize("lag", [0, 2, 50])
@pytest.mark.parametrize("api_version", ["2024-08-01", PREVIEW])
async def test_a_create_whose_answer_is_lost_is_found_and_not_repeated(bench, api_version, lag):
    b = bench(list_lag_seconds=lag, faults=(every(DropAfter(), at_most=1),))
    async with b.open(api_version=api_version) as run:
        ref = await Submission(run, SCRIPT, run.connections.resource_of("")).submit()

        assert b.accepted() == [name_of(run)]
        assert read_claim(run).ref() == ref
        assert (
            await run.connections.control(run.connections.resource_of("").client.get, ref.service_id)
        ).job_id == name_of(run)


async def test_a_create_that_had_no_effect_is_sent_again_after_two_looks(bench):
    b = bench(faults=(every(Status(status=500), at_most=1),))
    async with b.open() as run:
        await Submission(run, SCRIPT, run.connections.resource_of("")).submit()

        assert b.accepted() == [name_of(run)]
        assert b.asked("create") == 2
        assert b.asked("get") == 2


async def test_where_the_service_names_the_jobs_a_create_is_sent_again_only_after_the_time_to_settle(bench):
    b = bench(faults=(every(Status(status=500), at_most=1),))
    async with b.open(api_version=PREVIEW) as run:
        await Submission(run, SCRIPT, run.connections.resource_of("")).submit()

        assert b.accepted() == [name_of(run)]
        assert b.asked("list") == 2
        assert sum(b.clock.slept) >= SETTLE_SECONDS


async def test_creates_without_an_answer_are_given_up_after_a_few(bench):
    b = bench(faults=(every(Status(status=500)),))
    async with b.open() as run:
        with pytest.raises(CreateUnclear, match=f"{MAX_SENDS} creates without a usable answer"):
            await Submission(run, SCRIPT, run.connections.resource_of("")).submit()

        assert b.asked("create") == MAX_SENDS
        assert read_claim(run).last == attempt(run)


async def test_a_throttled_create_waits_as_told_and_is_sent_again_without_a_look(bench):
    b = bench(faults=(every(Status(status=429, retry_after_seconds=37), at_most=1),))
    async with b.open() as run:
        await Submission(run, SCRIPT, run.connections.resource_of("")).submit()

        assert (b.accepted(), b.asked("get")) == ([name_of(run)], 0)
        assert b.clock.slept == [37]


# Refusals


@pytest.mark.parametrize(("status", "kind"), [(400, RequestRefused), (403, AccessRefused)])
async def test_a_refusal_is_noted_so_that_nobody_waits_for_the_claim_to_grow_old(bench, status, kind):
    b = bench(faults=(every(Status(status=status, code="X", message="no")),))
    async with b.open() as run:
        with pytest.raises(kind):
            await Submission(run, SCRIPT, run.connections.resource_of("")).submit()

        assert read_claim(run).last == attempt(run, refused=True)


async def test_a_refusal_after_an_unclear_create_proves_nothing_and_is_not_noted(bench):
    unclear, refused = every(Status(status=500), at_most=1), every(Status(status=403, code="Forbidden"))
    b = bench(faults=(unclear, refused))
    async with b.open() as run:
        with pytest.raises(AccessRefused):
            await Submission(run, SCRIPT, run.connections.resource_of("")).submit()

        assert read_claim(run).last == attempt(run)


async def test_what_another_run_was_refused_is_taken_over_at_once(bench):
    b = bench()
    async with b.open() as run:
        write_claim(run, attempt(run, refused=True), resource="another.cognitiveservices.azure.com")

        await Submission(run, SCRIPT, run.connections.resource_of("")).submit()

        claim = read_claim(run)
        assert (b.accepted(), claim.holder, claim.resource) == (
            [name_of(run)],
            run.holder,
            run.connections.resource_of("").host,
        )
        assert (claim.last.refused, claim.last.accepted_at is None) == (False, False)


# Adopting


@pytest.mark.parametrize("api_version", ["2024-08-01", PREVIEW])
async def test_the_job_of_a_run_that_died_before_it_noted_it_is_adopted_and_noted(bench, api_version):
    b = bench()
    async with b.open(api_version=api_version) as run:
        job = await create(b, run)
        write_claim(run, attempt(run, refused=True))

        ref = await Submission(run, SCRIPT, run.connections.resource_of("")).submit()

        last = read_claim(run).last
        assert (ref.service_id, b.accepted()) == (job.service_id, [name_of(run)])
        assert (last.accepted_at, last.refused) == (job.created_at, False)
        assert last.service_id == (job.service_id if api_version == PREVIEW else None)


async def test_a_job_of_another_archive_under_our_name_is_not_adopted(bench):
    b = bench()
    async with b.open() as run:
        await create(b, run, archive_id="f" * 16)

        with pytest.raises(ClaimedElsewhere, match="the mark of another archive"):
            await Submission(run, SCRIPT, run.connections.resource_of("")).submit()

        assert len(b.accepted()) == 1


async def test_a_job_that_was_given_up_and_succeeded_after_all_is_given_up_no_more(bench):
    b = bench(progression=Progression.at_once())
    async with b.open() as run:
        await create(b, run)
        write_claim(run, attempt(run, accepted_at=NOW, answered_at=NOW, ended="too late", over=True))

        await Submission(run, SCRIPT, run.connections.resource_of("")).submit()

        assert read_claim(run).last == attempt(run, accepted_at=NOW, answered_at=NOW)
        assert b.accepted() == [name_of(run)]


@pytest.mark.parametrize("retry_failed", [True, False])
async def test_a_failed_job_that_was_given_up_gets_a_next_attempt_only_on_request(bench, retry_failed):
    b = bench(progression=Progression.at_once(), faults=(every(FailJob(code="BadRequest"), at_most=1),))
    async with b.open(permits=Permits(retry_failed=retry_failed), max_attempts=1) as run:
        await create(b, run)
        before = attempt(run, accepted_at=NOW, answered_at=NOW, ended="BadRequest", over=True)
        write_claim(run, before)

        ref = await Submission(run, SCRIPT, run.connections.resource_of("")).submit()

        assert ref.attempt == (2 if retry_failed else 1)
        assert read_claim(run).attempts[0] == before
        assert b.accepted() == [name_of(run, number) for number in range(1, ref.attempt + 1)]


async def test_a_claim_on_another_resource_is_left_alone_and_the_resource_named(bench):
    b = bench()
    async with b.open() as run:
        write_claim(run, attempt(run, accepted_at=NOW), resource="another.cognitiveservices.azure.com")

        with pytest.raises(ClaimedElsewhere, match=r"sent to another\.cognitiveservices\.azure\.com"):
            await Submission(run, SCRIPT, run.connections.resource_of("")).submit()

        assert b.accepted() == []


# The next attempt


async def test_an_attempt_that_is_over_is_followed_by_the_next_and_stays_written_down(bench):
    b = bench()
    async with b.open() as run:
        before = [attempt(run, 1, ended="Aborted", over=True), attempt(run, 2, accepted_at=NOW, ended="x", over=True)]
        write_claim(run, *before)

        ref = await Submission(run, SCRIPT, run.connections.resource_of("")).submit()

        assert (ref.attempt, b.accepted()) == (3, [name_of(run, 3)])
        assert list(read_claim(run).attempts[:2]) == before


@pytest.mark.parametrize(
    ("number", "most", "retry_failed", "sent"),
    [
        (1, 2, False, True),
        (2, 2, False, False),
        (3, 2, False, False),
        (2, 2, True, True),
        (MAX_ATTEMPT_NUMBER - 1, 3, True, True),
        (MAX_ATTEMPT_NUMBER, 3, True, False),
        (MAX_ATTEMPT_NUMBER, 99, False, False),
    ],
)
async def test_attempts_are_spent_at_the_limit_unless_a_person_wants_more_and_for_good_at_99(
    bench, number, most, retry_failed, sent
):
    b = bench()
    async with b.open(permits=Permits(retry_failed=retry_failed), max_attempts=most) as run:
        write_claim(run, attempt(run, number, ended="Aborted: timeout", over=True))

        if sent:
            assert (await Submission(run, SCRIPT, run.connections.resource_of("")).submit()).attempt == number + 1
        else:
            with pytest.raises(JobError, match=f"all {number} attempts are spent; the last ended: Aborted") as caught:
                await Submission(run, SCRIPT, run.connections.resource_of("")).submit()
            assert (caught.value.code, caught.value.job_id) == ("AttemptsSpent", name_of(run, number))

        assert b.accepted() == ([name_of(run, number + 1)] if sent else [])


def write_letter(run, *, number):
    facts = FailureFacts.model_validate({"class": "job", "code": "BadRequest", "message": "no such gesture"})
    ref = read_claim(run).ref_of(attempt(run, number))
    run.connections.archive.write_dead_letter(
        DeadLetter(ref=ref, run="earlier", written_at=NOW, failure=facts, script={})
    )


@pytest.mark.parametrize("over", [True, False])
async def test_a_script_that_another_run_has_given_up_for_good_meanwhile_is_not_sent_again(bench, over):
    """Its plan was made before the letter was written."""
    b = bench()
    async with b.open() as run:
        write_claim(run, attempt(run, accepted_at=NOW, ended="BadRequest: no such gesture", over=over))
        write_letter(run, number=1)

        with pytest.raises(JobError, match="no such gesture") as caught:
            await Submission(run, SCRIPT, run.connections.resource_of("")).submit()

        assert (caught.value.code, caught.value.job_id, b.accepted()) == ("BadRequest", name_of(run), [])


@pytest.mark.parametrize(("retry_failed", "lettered"), [(True, 2), (False, 1)])
async def test_a_letter_stops_no_next_attempt_that_a_person_wants_or_that_is_later_than_it(
    bench, retry_failed, lettered
):
    b = bench()
    async with b.open(permits=Permits(retry_failed=retry_failed)) as run:
        write_claim(run, attempt(run, ended="x", over=True), attempt(run, 2, ended="Aborted", over=True))
        write_letter(run, number=lettered)

        assert (await Submission(run, SCRIPT, run.connections.resource_of("")).submit()).attempt == 3


# Lost


async def test_a_paid_job_that_is_gone_is_lost_and_not_sent_again(bench):
    b = bench()
    async with b.open(permits=Permits(retry_failed=True, accept_changes=True, revision=0)) as run:
        write_claim(run, attempt(run, accepted_at=NOW))

        with pytest.raises(ResultLost, match="not rendered again by itself"):
            await Submission(run, SCRIPT, run.connections.resource_of("")).submit()

        assert (b.accepted(), read_claim(run).attempts) == ([], (attempt(run, accepted_at=NOW),))


@pytest.mark.parametrize("api_version", ["2024-08-01", PREVIEW])
async def test_a_lost_job_is_rendered_again_where_a_person_allows_it_and_its_end_is_written_down(bench, api_version):
    b = bench()
    async with b.open(permits=Permits(rerender_lost=True), api_version=api_version) as run:
        write_claim(run, attempt(run, accepted_at=NOW, service_id="c48b4cf5"))

        ref = await Submission(run, SCRIPT, run.connections.resource_of("")).submit()

        first, second = read_claim(run).attempts
        assert (first.ended, first.over, first.accepted_at) == ("the result was lost", True, NOW)
        assert (ref.attempt, second.number, b.accepted()) == (2, 2, [name_of(run, 2)])


@pytest.mark.parametrize("rerender_lost", [True, False])
async def test_a_lost_job_whose_video_lies_in_the_archive_gets_its_receipt_back_and_is_never_sent(bench, rerender_lost):
    b = bench()
    async with b.open(permits=Permits(rerender_lost=rerender_lost)) as run:
        write_claim(run, attempt(run, accepted_at=NOW))
        video = run.connections.archive.output_blob(read_claim(run).ref(), "video.mp4")
        video.upload_blob(b"video", metadata={"sha256": "s", "billed_seconds": "2"})

        with pytest.raises(AlreadyArchived) as caught:
            await Submission(run, SCRIPT, run.connections.resource_of("")).submit()

        receipt = run.connections.archive.read_receipt("intro", run.content_id_of(SCRIPT))
        assert caught.value.receipt == receipt
        assert (receipt.video.blob_name, receipt.billed_seconds) == (video.blob_name, 2)
        assert b.accepted() == []


# Notes in the claim


async def test_changes_of_an_attempt_by_several_at_once_are_all_kept(bench):
    async with bench().open() as run:
        write_claim(run, attempt(run))
        ref = read_claim(run).ref()
        changes = [{"ended": "x"}, {"refused": True}, {"over": True}]

        await asyncio.gather(*(update_last(run.connections, ref, change) for change in changes))

        assert read_claim(run).last == attempt(run, ended="x", refused=True, over=True)


async def test_a_change_gives_all_attempts_as_they_now_stand(bench):
    async with bench().open() as run:
        first = attempt(run, ended="Aborted", over=True)
        write_claim(run, first, attempt(run, 2))

        assert await update_last(run.connections, read_claim(run).ref(), {"over": True}) == (
            first,
            attempt(run, 2, over=True),
        )


@pytest.mark.parametrize("number", [1, 3])
async def test_an_attempt_that_is_not_the_last_is_not_changed(bench, number):
    async with bench().open() as run:
        write_claim(run, attempt(run), attempt(run, 2))
        claim = read_claim(run)

        with pytest.raises(ClaimedElsewhere, match=f"gone on from attempt {number}"):
            await update_last(run.connections, claim.ref_of(attempt(run, number)), {"over": True})

        assert read_claim(run) == claim


async def test_a_note_that_only_the_holder_may_make_is_not_made_for_another(bench):
    async with bench().open() as run:
        write_claim(run, attempt(run), holder="another")
        ref = read_claim(run).ref()

        with pytest.raises(ClaimedElsewhere):
            await update_last(run.connections, ref, {"refused": True}, holder=run.holder)
        await update_last(run.connections, ref, {"refused": True}, holder="another")

        assert read_claim(run).last.refused
