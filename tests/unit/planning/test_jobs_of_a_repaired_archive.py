"""Jobs that carry the mark of an id that the archive had before it was repaired."""

from datetime import UTC, datetime

from batch_avatar.archive.index import ArchiveIndex
from batch_avatar.identity import mark_description
from batch_avatar.models import SynthesisJob
from batch_avatar.planning.reconciliation import own_jobs

NOW, BEFORE = "a" * 16, "b" * 16
OURS, THEIRS = "0123456789abcdef", "fedcba9876543210"


def job(content_id):
    return SynthesisJob(
        service_id=f"intro-{content_id}-1",
        status="Succeeded",
        description=mark_description(None, BEFORE),
        observed_at=datetime(2026, 11, 30, tzinfo=UTC),
    )


def index(*, repaired):
    found = ArchiveIndex(repaired=repaired)
    found.enter(f"intro/{OURS}/claim.json", {"attempt": "1", "job_id": f"intro-{OURS}-1"})
    return found


def seen(*, repaired):
    return set(own_jobs([job(OURS), job(THEIRS)], NOW, of_other_marks=index(repaired=repaired).ids_before_repair()))


def test_a_job_that_a_claim_of_a_repaired_archive_names_is_ours_whatever_its_mark():
    assert seen(repaired=True) == {OURS}


def test_where_nothing_was_repaired_the_mark_decides():
    assert seen(repaired=False) == set()
