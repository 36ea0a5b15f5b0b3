"""A job that the service was asked for and that it said nothing of is not lost."""

from datetime import UTC, datetime

import pytest

from batch_avatar.archive.index import ArchiveIndex, claim_metadata, receipt_metadata
from batch_avatar.archive.records import Claim
from batch_avatar.identity import derive_content_id, derive_job_id, form_digests, recorded_form
from batch_avatar.models import Script
from batch_avatar.planning.plan import PlanState
from batch_avatar.planning.reconciliation import reconcile
from batch_avatar.receipt import Attempt, Receipt, StoredBlob

ARCHIVE = "00112233445566aa"
NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
SCRIPT = Script(script_id="intro", content="Hi.", voice="v", talking_avatar_character="lisa")
IDS = {"script_id": "intro", "content_id": derive_content_id(SCRIPT, archive_id=ARCHIVE, revision=0)}
JOB_ID = derive_job_id("intro", IDS["content_id"], 1)
HERE = {"run": "r", "resource": "x", "api_version": "2024-08-01"}


def planned(*records, unclear):
    index = ArchiveIndex()
    for name, metadata in records:
        index.enter(f"intro/{IDS['content_id']}/{name}", metadata, changed_at=NOW)
    return reconcile([SCRIPT], archive_id=ARCHIVE, jobs=[], index=index, unclear=unclear).items[0]


def claim(job_id=JOB_ID, **members):
    """Of a job that was paid for."""
    last = Attempt(number=1, job_id=job_id, accepted_at=NOW, **members)
    written = Claim(**IDS, **HERE, holder="h", attempts=(last,), form=recorded_form(SCRIPT))
    return "claim.json", claim_metadata(written)


def receipt():
    video = StoredBlob(blob_name="v", size_bytes=1, sha256="s", content_md5="m", content_type="video/mp4")
    digests = form_digests(recorded_form(SCRIPT))
    written = Receipt(
        **IDS, **HERE, attempt=1, job_id=JOB_ID, service_id=JOB_ID, archived_at=NOW, video=video, form=digests
    )
    return "receipt.json", receipt_metadata(written)


@pytest.mark.parametrize(("job_id", "members"), [(JOB_ID, {}), ("pack-0123456789abcdef-1", {"input": 2})])
def test_only_what_is_clearly_absent_is_lost(job_id, members):
    assert planned(claim(job_id, **members), unclear={"another"}).state is PlanState.LOST

    found = planned(claim(job_id, **members), unclear={job_id})

    assert (found.state, found.failure) == (PlanState.CLAIMED, None)
    assert found.detail == f"the service does not tell whether it has {job_id}; ask again"


def test_a_receipt_without_its_video_says_that_the_job_may_have_it():
    assert "does not tell" not in planned(claim(), receipt(), unclear=()).failure.message

    found = planned(claim(), receipt(), unclear={JOB_ID})

    assert (found.state, found.failure.failure_class) == (PlanState.DAMAGED, "lost")
    assert f"the service does not tell whether it has {JOB_ID}; ask again" in found.failure.message
