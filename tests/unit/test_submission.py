"""What may be sent: the whole truth table of the one decision, without a request."""

from datetime import UTC, datetime
from itertools import product

import pytest

from batch_avatar.archive import Held
from batch_avatar.models import SynthesisJob
from batch_avatar.records import Attempt, Claim, Receipt, StoredBlob
from batch_avatar.submission import LOOKS, Move, Seen, decide

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
CLAIM_SECONDS = 240.0
IDS = {"script_id": "intro", "content_id": "0123456789abcdef"}
JOB_ID = "intro-0123456789abcdef-1"
HERE = {"run": "r", "resource": "x", "api_version": "2024-08-01"}
VIDEO = StoredBlob(blob_name="v", size_bytes=1, sha256="s", content_md5="m", content_type="video/mp4")
RECEIPT = Receipt(**IDS, **HERE, attempt=1, job_id=JOB_ID, service_id=JOB_ID, archived_at=NOW, video=VIDEO)


def held(*, holder="me", accepted=False, ended=False, refused=False, resource="x", age=0.0, number=1):
    last = Attempt(
        number=number,
        job_id=JOB_ID,
        accepted_at=NOW if accepted else None,
        ended="Aborted" if ended else None,
        refused=refused,
    )
    return Held(
        Claim(**IDS, **HERE | {"resource": resource}, holder=holder, attempts=(last,)), etag="e", age_seconds=age
    )


def job(status="Running"):
    return SynthesisJob(service_id=JOB_ID, status=status, observed_at=NOW)


def move(claim, *, job=None, receipt=None, looks=LOOKS):
    return decide(Seen(claim, job, receipt, looks), holder="me", resource="x", claim_seconds=CLAIM_SECONDS)


def expected(*, receipt, claim, job_seen, settled, refused, elsewhere, ended, accepted, mine, old):  # noqa: PLR0911 - a table
    """The rules of the design, in words that are not the code's."""
    if receipt:
        return "archived"
    if not claim:
        return "claim"
    if job_seen:
        return "adopt"
    if not settled:
        return "look again"
    if refused and not accepted and not ended:
        return "take over"
    if elsewhere:
        return "elsewhere"
    if ended:
        return "next attempt"
    if accepted:
        return "lost"
    if mine:
        return "send"
    return "take over" if old else "wait"


FACTS = ("receipt", "claim", "job_seen", "settled", "refused", "elsewhere", "ended", "accepted", "mine", "old")


def table():
    return [dict(zip(FACTS, values, strict=True)) for values in product([True, False], repeat=len(FACTS))]


def test_the_whole_truth_table():
    for facts in table():
        claim = held(
            holder="me" if facts["mine"] else "another",
            accepted=facts["accepted"],
            ended=facts["ended"],
            refused=facts["refused"],
            resource="y" if facts["elsewhere"] else "x",
            age=CLAIM_SECONDS + 1 if facts["old"] else CLAIM_SECONDS - 1,
        )

        decided = move(
            claim if facts["claim"] else None,
            job=job() if facts["job_seen"] else None,
            receipt=RECEIPT if facts["receipt"] else None,
            looks=LOOKS if facts["settled"] else LOOKS - 1,
        )

        assert decided == expected(**facts), facts


def test_every_move_can_be_decided():
    assert {expected(**facts) for facts in table()} == {str(move) for move in Move}


def test_a_job_that_was_accepted_and_is_gone_is_never_sent_again():
    for mine, old, looks in product([True, False], [0.0, 1e9], range(10)):
        decided = move(held(holder="me" if mine else "another", accepted=True, age=old), looks=looks)
        assert decided in (Move.LOOK_AGAIN, Move.LOST)


def test_what_another_resource_may_have_is_never_sent_here():
    for mine, accepted, ended, age, looks in product([True, False], [True, False], [True, False], [0.0, 1e9], range(5)):
        claim = held(holder="me" if mine else "another", accepted=accepted, ended=ended, age=age, resource="y")
        assert move(claim, looks=looks) is (Move.ELSEWHERE if looks >= LOOKS else Move.LOOK_AGAIN)


def test_a_job_that_is_here_is_adopted_whatever_resource_its_claim_names():
    assert move(held(holder="another", accepted=True, resource="y"), job=job()) is Move.ADOPT


@pytest.mark.parametrize("resource", ["x", "y"])
@pytest.mark.parametrize("holder", ["me", "another"])
@pytest.mark.parametrize("age", [-5, 0, 1e9])
def test_what_the_service_refused_is_taken_over_at_once_but_not_before_two_looks(resource, holder, age):
    claim = held(refused=True, resource=resource, holder=holder, age=age)

    assert [move(claim, looks=looks) for looks in range(LOOKS)] == [Move.LOOK_AGAIN] * LOOKS
    assert move(claim) is Move.TAKE_OVER
    assert move(claim, job=job()) is Move.ADOPT


def test_a_refusal_of_an_earlier_attempt_does_not_count():
    first = Attempt(number=1, job_id=JOB_ID, refused=True)
    second = Attempt(number=2, job_id="intro-0123456789abcdef-2")
    claim = Claim(**IDS, **HERE, holder="another", attempts=(first, second))

    assert move(Held(claim, "e", 0.0)) is Move.WAIT


def test_a_claim_of_before_refusals_were_noted_is_not_refused():
    assert not Attempt.model_validate({"number": 1, "job_id": JOB_ID}).refused


def test_nothing_is_sent_before_two_looks_agree():
    assert LOOKS >= 2
    for looks in range(LOOKS):
        assert move(held(), looks=looks) is Move.LOOK_AGAIN
    assert move(held(), looks=LOOKS) is Move.SEND
    assert move(held(), looks=LOOKS + 1) is Move.SEND


@pytest.mark.parametrize("status", ["NotStarted", "Running", "Succeeded", "Failed", "Resting"])
def test_a_job_is_adopted_whatever_its_status(status):
    assert move(held(holder="another", accepted=True), job=job(status)) is Move.ADOPT


@pytest.mark.parametrize(("age", "decided"), [(0, "wait"), (240, "wait"), (240.1, "take over"), (-5, "wait")])
def test_the_claim_of_another_run_is_taken_over_only_once_it_is_old(age, decided):
    assert move(held(holder="another", age=age)) == decided


def test_the_claim_of_our_own_never_grows_too_old():
    assert move(held(age=1e9)) is Move.SEND


def test_only_the_last_attempt_counts():
    first = Attempt(number=1, job_id=JOB_ID, accepted_at=NOW, ended="Aborted")
    second = Attempt(number=2, job_id="intro-0123456789abcdef-2")
    claim = Claim(**IDS, **HERE, holder="me", attempts=(first, second))

    assert move(Held(claim, "e", 0.0)) is Move.SEND


def test_a_receipt_ends_every_question():
    assert move(None, receipt=RECEIPT, looks=0) is Move.ARCHIVED
    assert move(held(ended=True), job=job("Failed"), receipt=RECEIPT, looks=0) is Move.ARCHIVED


@pytest.mark.parametrize(("known", "wanted"), [({"accepted": True}, Move.LOST), ({"ended": True}, Move.NEXT_ATTEMPT)])
def test_a_refusal_says_nothing_about_a_job_that_was_there_all_the_same(known, wanted):
    assert move(held(refused=True, **known)) is wanted
