"""Pages, order, lag."""

import pytest


def test_the_list_is_newest_first_and_the_last_page_has_no_link(speech):
    for number in range(5):
        speech.created(f"job-{number}")
    page = speech.list(maxpagesize=2).json()
    assert [job["id"] for job in page["value"]] == ["job-4", "job-3"]
    seen = [job["id"] for job in page["value"]]
    while "nextLink" in page:
        page = speech.call("GET", page["nextLink"], params={}, schema="list").json()
        seen += [job["id"] for job in page["value"]]
    assert seen == ["job-4", "job-3", "job-2", "job-1", "job-0"]


def test_a_full_last_page_has_no_link(speech):
    for number in range(4):
        speech.created(f"job-{number}")
    assert "nextLink" in speech.list(maxpagesize=2).json()
    assert "nextLink" not in speech.list(maxpagesize=2, skip=2).json()


def test_the_next_link_is_absolute_and_in_slash_form(speech):
    for number in range(3):
        speech.created(f"job-{number}")
    link = speech.list(maxpagesize=1).json()["nextLink"]
    assert link.startswith(f"{speech.emulator.endpoint}/avatar/batchsyntheses/?api-version=2024-08-01&")


def test_both_spellings_of_the_path_are_served(speech):
    speech.created()
    answer = speech.call("GET", speech.url() + "/", schema="list")
    assert [job["id"] for job in answer.json()["value"]] == ["job-1"]


def test_an_empty_list_has_a_value(speech):
    assert speech.list().json() == {"value": []}
    assert speech.list(skip=10).json() == {"value": []}


def test_a_page_holds_100_jobs_unless_fewer_are_asked_for(start):
    speech = start(active_jobs_limit=0)
    for number in range(101):
        speech.created(f"job-{number}")
    page = speech.list().json()
    assert len(page["value"]) == 100
    assert "maxpagesize=100" in page["nextLink"]


@pytest.mark.parametrize(
    "params",
    [
        {"maxpagesize": 101},
        {"maxpagesize": 0},
        {"maxpagesize": -1},
        {"maxpagesize": "ten"},
        {"skip": -1},
        {"skip": "1.5"},
        {"skip": 2**31},
    ],
    ids=str,
)
def test_a_bad_page_is_refused(shared, params):
    assert shared.list(**params).status_code == 400


def test_an_oversized_page_can_be_clamped(start):
    assert start(oversized_page="clamp").list(maxpagesize=500).status_code == 200


def test_the_list_lags_behind_creates_but_get_does_not(start):
    speech = start(list_lag_seconds=2)
    speech.created()
    assert speech.ids() == []
    assert speech.get().status_code == 200
    speech.emulator.advance(2)
    assert speech.ids() == ["job-1"]


def test_the_order_is_stable_while_jobs_move(speech):
    for number in range(4):
        speech.created(f"job-{number}")
    before = speech.ids()
    speech.emulator.settle()
    assert speech.ids() == before
    speech.delete("job-2")
    assert speech.ids() == ["job-3", "job-1", "job-0"]
