"""A job list that mixes up jobs, and packs, whose videos lie where the list has no say."""

from __future__ import annotations

import json

import pytest

from tests.support.packs import assert_all_right, render_packed, scripts_of
from tests.support.road import Road, Traveller


class _Swapping(Traveller):
    def travel(self) -> None:
        status, headers, content = self.forward()
        if self.command == "GET" and self.path.partition("?")[0].endswith("/batchsyntheses"):
            page = json.loads(content)
            ids = [job["id"] for job in page["value"]]
            for job, other in zip(page["value"], ids[1:] + ids[:1], strict=True):
                job["id"] = other
            content = json.dumps(page).encode()
        self.answer(status, headers, content)


@pytest.fixture
def swapped(packs):
    """A bench whose job list shows each job under the id of another."""
    b = packs()
    with Road(b.emulator.endpoint, _Swapping) as road:
        b.road = road
        yield b


def test_what_is_archived_of_a_pack_is_what_the_service_says_of_it_by_its_id(swapped):
    scripts = scripts_of(4)
    report = render_packed(
        swapped, scripts, 2, settings=swapped.settings().model_copy(update={"endpoint": swapped.road.url})
    )

    assert report.all_archived, report
    jobs = {job["internal_id"]: job for job in swapped.emulator.jobs()}
    billed = dict.fromkeys(jobs, 0)
    for receipt in swapped.receipts().values():
        assert receipt["job_id"] == jobs[receipt["internal_id"]]["name"]
        billed[receipt["internal_id"]] += receipt["billed_seconds"]
    assert billed == {internal_id: job["billed"]["seconds"] for internal_id, job in jobs.items()}
    assert_all_right(swapped, scripts)
