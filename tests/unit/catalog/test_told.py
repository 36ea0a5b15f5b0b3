"""Where the catalogue is told: in the reason of a job that never starts."""

from datetime import UTC, datetime, timedelta

import pytest

from batch_avatar.catalog.regions import batch_avatar_regions
from batch_avatar.models import SynthesisJob
from batch_avatar.service.deadlines import Deadlines
from tests.support.manual_clock import ManualClock

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)


@pytest.mark.parametrize(("status", "told"), [("NotStarted", True), ("Running", False), ("Resting", False)])
def test_a_job_that_never_starts_says_which_regions_have_batch_avatars(status, told):
    deadlines = Deadlines(100, 100, ManualClock(NOW))
    deadlines.note_created("a", NOW - timedelta(days=1))
    text = deadlines.overdue(
        SynthesisJob(service_id="a", status=status, created_at=NOW - timedelta(seconds=101), observed_at=NOW)
    )

    assert text.startswith(f"still {status} 101 s after its creation (deadline 100 s)")
    assert [region in text for region in batch_avatar_regions()] == [told] * 11
