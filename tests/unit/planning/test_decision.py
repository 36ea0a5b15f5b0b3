"""What may be sent: the whole truth table of the one decision, and what no table may ever hold, without a request."""

from datetime import UTC, datetime
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batch_avatar.archive.records import Claim, Held
from batch_avatar.models import SynthesisJob
from batch_avatar.planning.decision import LOOKS, Move, Rules, Seen, decide
from batch_avatar.receipt import Attempt, Receipt, StoredBlob

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
CLAIM_SECONDS = 240.0
SETTLE_SECONDS = 60.0
IDS = {"script_id": "intro", "content_id": "0123456789abcdef"}
JOB_ID = "intro-0123456789abcdef-1"
HERE = {"run": "r", "resource": "x", "api_version": "2024-08-01"}
VIDEO = StoredBlob(blob_name="v", size_bytes=1, sha256="s", content_md5="m", content_type="video/mp4")
RECEIPT = Receipt(**IDS, **HERE, attempt=1, job_id=JOB_ID, service_id=JOB_ID, archived_at=NOW, video=VIDEO)
STATUSES = ["NotStarted", "Running", "Succeeded", "Failed", "Resting"]
PAYING = {Move.SEND, Move.TAKE_OVER, Move.NEXT_ATTEMPT}
"""Moves that lead to a create where a claim exists already."""


def attempt(*, accepted=False, ended=False, refused=False, over=False, service_id=None, number=1):
    return Attempt(
        number=number,
        job_id=f"intro-0123456789abcdef-{number}",
        service_id=service_id,
        accepted_at=NOW if accepted else None,
        ended="Aborted" if ended else None,
        refused=refused,
        over=over,
    )


def held(*, holder="me", resource="x", age=0.0, before=(), **last):
    claim = Claim(**IDS, **HERE | {"resource": resource}, holder=holder, attempts=(*before, attempt(**last)))
    return Held(claim, etag="e", age_seconds=age)


def job(status="Running"):
    return SynthesisJob(service_id=JOB_ID, status=status, observed_at=NOW)


def rules(*, settle_seconds=0.0, retry_failed=False):
    return Rules(
        holder="me",
        resources=frozenset({"x"}),
        claim_seconds=CLAIM_SECONDS,
        settle_seconds=settle_seconds,
        retry_failed=retry_failed,
    )


def move(claim, *, job=None, receipt=None, looks=LOOKS, absent_seconds=0.0, **how):
    return decide(Seen(claim, job, receipt, looks, absent_seconds), rules(**how))


# The whole table


def expected(  # noqa: C901, PLR0911 - a table
    *, receipt, claim, job, over, looked, settled, by_name, refused, elsewhere, ended, accepted, mine, old, retry_failed
):
    """The rules of the design, in words that are not the code's."""
    if receipt:
        return "archived"
    if not claim:
        return "claim"
    if job == "failed" and ended and retry_failed:
        return "next attempt"
    if job:
        return "adopt"
    if over:
        return "next attempt"
    if not looked:
        return "look again"
    if by_name and not settled:
        return "look again"
    if refused and not accepted and not ended:
        return "take over"
    if elsewhere:
        return "elsewhere"
    if accepted:
        return "lost"
    if ended:
        return "next attempt"
    if mine:
        return "send"
    return "take over" if old else "wait"


BOTH = (True, False)
FACTS = {
    "receipt": BOTH,
    "claim": BOTH,
    "job": (None, "running", "failed"),
    "over": BOTH,
    "looked": BOTH,
    "settled": BOTH,
    "by_name": BOTH,
    "refused": BOTH,
    "elsewhere": BOTH,
    "ended": BOTH,
    "accepted": BOTH,
    "mine": BOTH,
    "old": BOTH,
    "retry_failed": BOTH,
}


def table():
    return (dict(zip(FACTS, values, strict=True)) for values in product(*FACTS.values()))


def test_the_whole_truth_table():
    seen = set()
    for facts in table():
        claim = held(
            holder="me" if facts["mine"] else "another",
            accepted=facts["accepted"],
            ended=facts["ended"],
            refused=facts["refused"],
            over=facts["over"],
            service_id=None if facts["by_name"] else "c48b4cf5",
            resource="y" if facts["elsewhere"] else "x",
            age=CLAIM_SECONDS + 1 if facts["old"] else CLAIM_SECONDS - 1,
        )

        decided = move(
            claim if facts["claim"] else None,
            job=job(facts["job"].capitalize()) if facts["job"] else None,
            receipt=RECEIPT if facts["receipt"] else None,
            looks=LOOKS if facts["looked"] else LOOKS - 1,
            absent_seconds=SETTLE_SECONDS if facts["settled"] else SETTLE_SECONDS - 1,
            settle_seconds=SETTLE_SECONDS,
            retry_failed=facts["retry_failed"],
        )

        assert decided == expected(**facts), facts
        seen.add(decided)
    assert seen == set(Move)


# What no state of things may lead to


claims = st.builds(
    held,
    holder=st.sampled_from(["me", "another"]),
    resource=st.sampled_from(["x", "y"]),
    age=st.floats(-1e6, 1e9),
    before=st.lists(
        st.builds(attempt, accepted=st.booleans(), ended=st.booleans(), refused=st.booleans(), over=st.booleans()),
        max_size=2,
    ),
    accepted=st.booleans(),
    ended=st.booleans(),
    refused=st.booleans(),
    over=st.booleans(),
    service_id=st.sampled_from([None, "c48b4cf5"]),
    number=st.integers(1, 99),
)
jobs = st.builds(job, st.sampled_from(STATUSES))


def observations(*, held, job, receipt):
    return st.builds(
        Seen,
        held=held,
        job=job,
        receipt=receipt,
        looks=st.integers(0, 2 * LOOKS),
        absent_seconds=st.floats(0, 3 * SETTLE_SECONDS),
    )


anything = observations(held=st.none() | claims, job=st.none() | jobs, receipt=st.none() | st.just(RECEIPT))
here = observations(held=claims, job=jobs, receipt=st.none())
absent = observations(held=claims, job=st.none(), receipt=st.none())
given_rules = st.builds(rules, settle_seconds=st.sampled_from([0.0, SETTLE_SECONDS]), retry_failed=st.booleans())


@given(anything, given_rules)
def test_nothing_is_paid_for_while_a_receipt_exists(seen, rules):
    if seen.receipt is not None:
        assert decide(seen, rules) is Move.ARCHIVED
    else:
        assert decide(seen, rules) is not Move.ARCHIVED


@given(here, given_rules)
def test_a_job_that_is_seen_is_adopted_unless_it_failed_was_given_up_and_a_person_wants_it_again(seen, rules):
    given_up = seen.job.status == "Failed" and seen.held.claim.last.ended is not None

    assert decide(seen, rules) is (Move.NEXT_ATTEMPT if given_up and rules.retry_failed else Move.ADOPT)


@given(absent, given_rules)
def test_absence_is_concluded_only_from_looks_that_agree_for_long_enough(seen, rules):
    last = seen.held.claim.last
    looked = seen.looks >= LOOKS and (last.service_id is not None or seen.absent_seconds >= rules.settle_seconds)

    if not looked and not last.over:
        assert decide(seen, rules) is Move.LOOK_AGAIN
    else:
        assert decide(seen, rules) is not Move.LOOK_AGAIN


@given(absent, given_rules)
def test_a_claim_is_taken_over_only_once_it_is_old_or_the_service_has_refused_it(seen, rules):
    claim = seen.held.claim

    if decide(seen, rules) is Move.TAKE_OVER:
        refused = claim.last.refused and claim.last.accepted_at is None
        assert refused or (seen.held.age_seconds > CLAIM_SECONDS and claim.resource in rules.resources)
        assert claim.last.ended is None
        assert not claim.last.over


@given(absent, given_rules)
def test_only_an_unsent_claim_of_this_very_run_is_sent_as_it_is(seen, rules):
    claim = seen.held.claim

    if decide(seen, rules) is Move.SEND:
        assert (claim.holder, claim.resource) == (rules.holder, HERE["resource"])
        assert (claim.last.accepted_at, claim.last.ended, claim.last.over) == (None, None, False)


@given(absent, given_rules)
def test_a_job_that_was_accepted_and_may_have_finished_leads_to_no_create(seen, rules):
    last = seen.held.claim.last

    if last.accepted_at is not None and not last.over:
        assert decide(seen, rules) not in PAYING


@given(absent, given_rules)
def test_only_an_accepted_job_that_may_have_finished_is_lost(seen, rules):
    last = seen.held.claim.last

    if decide(seen, rules) is Move.LOST:
        assert last.accepted_at is not None
        assert not last.over
        assert seen.held.claim.resource in rules.resources


@given(absent, given_rules)
def test_what_another_resource_may_have_is_never_sent_here(seen, rules):
    last = seen.held.claim.last
    settled_there = last.over or (last.refused and last.accepted_at is None and last.ended is None)

    if seen.held.claim.resource not in rules.resources and not settled_there:
        assert decide(seen, rules) in (Move.LOOK_AGAIN, Move.ELSEWHERE)


@given(anything, given_rules)
def test_another_attempt_follows_only_one_that_was_given_up(seen, rules):
    if decide(seen, rules) is Move.NEXT_ATTEMPT:
        last = seen.held.claim.last
        assert last.ended is not None or last.over


@given(anything, given_rules)
def test_earlier_attempts_decide_nothing(seen, rules):
    if seen.held is not None:
        claim = seen.held.claim.model_copy(update={"attempts": seen.held.claim.attempts[-1:]})
        alone = Seen(Held(claim, "e", seen.held.age_seconds), seen.job, seen.receipt, seen.looks, seen.absent_seconds)

        assert decide(alone, rules) is decide(seen, rules)


@given(anything, given_rules)
def test_a_claim_is_made_only_where_there_is_none_and_no_receipt(seen, rules):
    assert (decide(seen, rules) is Move.CLAIM) is (seen.held is None and seen.receipt is None)


# Single rules


def test_two_looks_are_the_least():
    assert LOOKS >= 2


def test_nothing_is_sent_before_two_looks_agree():
    assert [move(held(), looks=looks) for looks in range(LOOKS + 2)] == [
        *[Move.LOOK_AGAIN] * LOOKS,
        Move.SEND,
        Move.SEND,
    ]


@pytest.mark.parametrize("claim", [held(), held(holder="another", age=1e9), held(refused=True), held(ended=True)])
@pytest.mark.parametrize(("absent_seconds", "settled"), [(0, False), (59.9, False), (60, True), (600, True)])
def test_where_the_service_names_the_jobs_many_looks_do_not_make_up_for_time(claim, absent_seconds, settled):
    decided = move(claim, looks=100, absent_seconds=absent_seconds, settle_seconds=SETTLE_SECONDS)

    assert (decided is not Move.LOOK_AGAIN) is settled


def test_a_job_that_is_looked_for_by_the_services_own_id_needs_no_time_to_settle():
    assert move(held(accepted=True, service_id="c48b4cf5"), settle_seconds=SETTLE_SECONDS) is Move.LOST
    assert move(held(accepted=True), settle_seconds=SETTLE_SECONDS) is Move.LOOK_AGAIN


@pytest.mark.parametrize("looks", range(LOOKS + 1))
@pytest.mark.parametrize("resource", ["x", "y"])
@pytest.mark.parametrize("holder", ["me", "another"])
def test_a_job_that_is_over_needs_no_look_and_no_resource(looks, resource, holder):
    claim = held(ended=True, over=True, resource=resource, holder=holder)

    assert move(claim, looks=looks, settle_seconds=SETTLE_SECONDS) is Move.NEXT_ATTEMPT


@pytest.mark.parametrize("retry_failed", [True, False])
@pytest.mark.parametrize("status", STATUSES)
def test_a_given_up_job_that_is_still_there_is_asked_again_only_if_it_failed_and_a_person_wants_it(
    status, retry_failed
):
    decided = move(held(accepted=True, ended=True), job=job(status), retry_failed=retry_failed)

    assert decided is (Move.NEXT_ATTEMPT if status == "Failed" and retry_failed else Move.ADOPT)


@pytest.mark.parametrize("status", STATUSES)
def test_a_job_that_nobody_gave_up_is_adopted_whatever_its_status_and_whatever_a_person_wants(status):
    assert move(held(holder="another", accepted=True), job=job(status), retry_failed=True) is Move.ADOPT


@pytest.mark.parametrize("known", [{}, {"accepted": True}, {"refused": True}, {"over": True}, {"ended": True}])
def test_the_wish_to_retry_changes_nothing_for_jobs_that_are_not_there(known):
    for looks in range(LOOKS + 1):
        assert move(held(**known), looks=looks, retry_failed=True) is move(held(**known), looks=looks)


def test_a_job_that_is_here_is_adopted_whatever_resource_its_claim_names():
    assert move(held(holder="another", accepted=True, resource="y"), job=job()) is Move.ADOPT


def test_a_late_success_is_adopted_also_where_the_attempt_is_said_to_be_over():
    assert move(held(accepted=True, ended=True, over=True), job=job("Succeeded"), retry_failed=True) is Move.ADOPT


@pytest.mark.parametrize("resource", ["x", "y"])
@pytest.mark.parametrize("holder", ["me", "another"])
@pytest.mark.parametrize("age", [-5, 0, 1e9])
def test_what_the_service_refused_is_taken_over_at_once_but_not_before_two_looks(resource, holder, age):
    claim = held(refused=True, resource=resource, holder=holder, age=age)

    assert [move(claim, looks=looks) for looks in range(LOOKS)] == [Move.LOOK_AGAIN] * LOOKS
    assert move(claim) is Move.TAKE_OVER
    assert move(claim, job=job()) is Move.ADOPT


@pytest.mark.parametrize(("known", "wanted"), [({"accepted": True}, Move.LOST), ({"ended": True}, Move.NEXT_ATTEMPT)])
def test_a_refusal_says_nothing_about_a_job_that_was_there_all_the_same(known, wanted):
    assert move(held(refused=True, **known)) is wanted


def test_a_refusal_of_an_earlier_attempt_does_not_count():
    claim = held(holder="another", number=2, before=[attempt(refused=True)])

    assert move(claim) is Move.WAIT


def test_a_claim_of_before_refusals_and_ends_were_noted_is_neither():
    read = Attempt.model_validate({"number": 1, "job_id": JOB_ID})

    assert (read.refused, read.over, read.service_id) == (False, False, None)


@pytest.mark.parametrize(("age", "decided"), [(0, "wait"), (240, "wait"), (240.1, "take over"), (-5, "wait")])
def test_the_claim_of_another_run_is_taken_over_only_once_it_is_old(age, decided):
    assert move(held(holder="another", age=age)) == decided


def test_the_claim_of_our_own_never_grows_too_old():
    assert move(held(age=1e9)) is Move.SEND


def test_only_the_last_attempt_counts():
    assert move(held(number=2, before=[attempt(accepted=True, ended=True, over=True)])) is Move.SEND


def test_a_receipt_ends_every_question():
    assert move(None, receipt=RECEIPT, looks=0) is Move.ARCHIVED
    assert move(held(ended=True), job=job("Failed"), receipt=RECEIPT, looks=0, retry_failed=True) is Move.ARCHIVED
