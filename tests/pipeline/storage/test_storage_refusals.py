"""Runs over a storage that refuses writes: they end soon, say why, send nothing twice, and the next run goes on."""

from __future__ import annotations

import pytest

from tests.support.answering_road import AnsweringRoad, ends

FAR_TOO_MANY = 60
"""After so many answers the road lets all pass, so that a run that never ends by itself ends all the same."""
CLAIM_WRITE = ends("PUT", "/claim.json")


@pytest.fixture
def road(azurite):
    with AnsweringRoad(azurite.url) as running:
        yield running


@pytest.mark.parametrize(
    ("refusal", "most"),
    [
        (("BlobImmutableDueToPolicy", 409), 1),
        (("LeaseIdMissing", 412), 1),
        (("ResourceTypeMismatch", 409), 1),
        (("SomethingNew", 409), 1),
        ((None, 409), 1),
        (("BlobAlreadyExists", 409), 6),  # a lost race each time, although there is no claim
    ],
    ids=lambda value: str(value[0]) if isinstance(value, tuple) else "",
)
def test_a_claim_that_cannot_be_written_ends_its_script_after_few_requests(by_road, road, script, refusal, most):
    road.refuse(CLAIM_WRITE, *refusal, times=FAR_TOO_MANY)

    report = by_road.render([script("intro")])

    assert (report.unfinished, by_road.emulator.stats()["creates"]["accepted"]) == (1, 0)
    assert road.seen.count(CLAIM_WRITE) <= most
    road.honest()
    again = by_road.render([script("intro")])
    assert again.archived == 1, again.outcomes[0]
    assert by_road.emulator.stats()["creates"]["accepted"] == 1


def test_a_claim_that_took_effect_although_it_was_refused_is_found_by_the_next_run(by_road, road, script):
    road.refuse(CLAIM_WRITE, "LeaseIdMissing", 412, after=True, times=1)

    report = by_road.render([script("intro")], claim_seconds=4, request_timeout_seconds=1)

    assert (report.unfinished, by_road.emulator.stats()["creates"]["accepted"]) == (1, 0)
    assert by_road.render([script("intro")], claim_seconds=4, request_timeout_seconds=1).archived == 1
    assert by_road.emulator.stats()["creates"]["accepted"] == 1
