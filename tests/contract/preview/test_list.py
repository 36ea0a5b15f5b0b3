"""3.1-preview1: pages, order, lag, and jobs that go while somebody lists."""

import pytest


def follow(preview, page):
    """Give the names of a page and of all that its links lead to."""
    names = []
    while True:
        names += [job["displayName"] for job in page["values"]]
        if "@nextLink" not in page:
            return names
        page = preview.call("GET", page["@nextLink"], schema="previewList").json()


def test_the_list_is_newest_first_and_the_last_page_has_no_link(preview):
    for number in range(5):
        preview.created(f"name-{number}")
    page = preview.list(top=2).json()
    assert [job["displayName"] for job in page["values"]] == ["name-4", "name-3"]
    assert follow(preview, page) == ["name-4", "name-3", "name-2", "name-1", "name-0"]


def test_the_next_link_is_absolute_and_counts_on(preview):
    for number in range(4):
        preview.created(f"name-{number}")
    assert preview.list(skip=1, top=2).json()["@nextLink"] == f"{preview.url()}?skip=3&top=2"
    assert "@nextLink" not in preview.list(skip=2, top=2).json()


def test_an_empty_list_has_values(preview):
    assert preview.list().json() == {"values": []}
    assert preview.list(skip=10).json() == {"values": []}


def test_a_page_holds_100_jobs_unless_fewer_are_asked_for(start):
    preview = start(active_jobs_limit=0).preview
    for number in range(101):
        preview.created(f"name-{number}")
    page = preview.list().json()
    assert len(page["values"]) == 100
    assert page["@nextLink"].endswith("?skip=100&top=100")
    assert len(set(follow(preview, page))) == 101


@pytest.mark.parametrize("params", [{"top": 101}, {"top": 0}, {"top": "ten"}, {"skip": -1}, {"skip": 2**31}], ids=str)
def test_a_bad_page_is_an_invalid_parameter(shared, params):
    answer = shared.preview.list(**params)
    assert answer.status_code == 400
    assert answer.json()["innerError"]["code"] == "InvalidParameter"
    assert next(iter(params)) in answer.json()["message"]


def test_an_oversized_page_can_be_clamped(start):
    assert start(oversized_page="clamp").preview.list(top=500).status_code == 200


def test_the_page_size_of_2024_and_an_api_version_mean_nothing_here(preview):
    preview.created("one")
    preview.created("two")
    answer = preview.call(
        "GET", preview.url(), schema="previewList", params={"maxpagesize": 1, "api-version": "2024-08-01"}
    )
    assert [job["displayName"] for job in answer.json()["values"]] == ["two", "one"]


def test_the_list_lags_behind_creates_but_get_does_not(start):
    preview = start(list_lag_seconds=2).preview
    job_id = preview.created()["id"]
    assert preview.names() == []
    assert preview.get(job_id).status_code == 200
    preview.emulator.advance(2)
    assert preview.names() == ["episode-1"]


def test_a_job_deleted_between_two_pages_hides_another(preview):
    ids = [preview.finished(f"name-{number}")["id"] for number in range(6)]
    page = preview.list(top=2).json()
    assert [job["displayName"] for job in page["values"]] == ["name-5", "name-4"]
    preview.delete(ids[5])
    assert follow(preview, page) == ["name-5", "name-4", "name-2", "name-1", "name-0"]
    assert preview.names() == ["name-4", "name-3", "name-2", "name-1", "name-0"]


def test_a_job_created_between_two_pages_shows_another_twice(preview):
    for number in range(4):
        preview.created(f"name-{number}")
    page = preview.list(top=2).json()
    preview.created("late")
    assert follow(preview, page) == ["name-3", "name-2", "name-2", "name-1", "name-0"]


def test_deleting_every_page_from_its_front_ends_with_an_empty_list(preview):
    for number in range(5):
        preview.finished(f"name-{number}")
    while page := preview.list(top=2).json()["values"]:
        for job in page:
            assert preview.delete(job["id"]).status_code == 204
    assert preview.emulator.stats()["deletes"] == 5
