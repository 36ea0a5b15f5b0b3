"""Ids that come back in another case than we wrote them name the same jobs, and go on under our own spelling."""

import pytest

from batch_avatar.archive.index import ArchiveIndex
from batch_avatar.models import Script
from batch_avatar.rendering.preparing.survey import Read, put_in_our_spelling, unseen_jobs
from batch_avatar.service.listing import NOTHING_READ, look_at_list
from tests.support.tiny_server import Answer

SCRIPT = Script(script_id="Intro", content="Hi.", voice="v", talking_avatar_character="lisa")
OURS = "Intro-0123456789abcdef-1"
SHOWN = {"upper": OURS.upper(), "lower": OURS.lower()}


@pytest.fixture(params=SHOWN.values(), ids=SHOWN)
def shown(request, server):
    job = {"id": request.param, "status": "Running", "createdDateTime": "2026-11-21T09:00:00Z"}
    server.answers = [lambda path: Answer(200, job if "Intro" in path else {"value": [job]})]
    return request.param


@pytest.mark.usefixtures("shown")
def test_a_job_that_was_asked_for_or_created_has_the_id_that_was_asked_for(client):
    assert client.get(OURS).service_id == OURS
    assert client.create(SCRIPT, job_id=OURS, description="x").service_id == OURS


@pytest.mark.usefixtures("shown")
def test_a_listing_shows_a_job_that_is_waited_for_under_the_id_that_is_waited_for(client):
    look = look_at_list(client, {OURS: None}, None)

    assert [job.service_id for job in look.jobs] == [OURS]


def test_a_plan_and_a_sweep_know_a_job_by_the_id_of_its_claim(client, shown):
    index = ArchiveIndex()
    index.enter("Intro/0123456789abcdef/claim.json", {"attempt": "1", "job_id": OURS, "accepted": "yes"})
    (page,) = client.list_pages()
    assert [job.service_id for job in page.jobs] == [shown]
    listed = {"host": Read(list(page.jobs), NOTHING_READ)}

    put_in_our_spelling(listed, index)

    assert [job.job_id for job in listed["host"].jobs] == [OURS]
    assert unseen_jobs(index, listed) == set()
