"""Both generations at one emulator: own jobs, common limits."""

import pytest

from batch_avatar.emulator.options import EmulatorOptions, Progression

UNFINISHED = Progression.after_reads(1000)


def test_all_three_versions_are_served_by_default():
    assert EmulatorOptions().api_versions == ("2024-08-01", "2024-04-15-preview", "3.1-preview1")


def test_each_generation_lists_its_own_jobs(speech):
    speech.created("job-1")
    speech.preview.created("name-1")
    speech.created("job-2")
    speech.preview.created("name-2")
    assert speech.ids() == ["job-2", "job-1"]
    assert speech.preview.names() == ["name-2", "name-1"]
    page = speech.preview.list(top=1).json()
    assert page["@nextLink"].endswith("?skip=1&top=1")
    assert "@nextLink" not in speech.preview.list(skip=1, top=1).json()


def test_neither_generation_reads_or_deletes_a_job_of_the_other(speech):
    speech.finished("job-1")
    job_id = speech.preview.finished()["id"]
    assert speech.get(job_id).status_code == 404
    assert speech.preview.get("job-1").status_code == 404
    assert speech.delete(job_id).status_code == 204
    assert speech.preview.delete("job-1").status_code == 204
    assert speech.get("job-1").status_code == 200
    assert speech.preview.get(job_id).status_code == 200
    assert speech.emulator.stats()["jobs"] == 2


def test_a_look_of_the_other_generation_does_not_move_a_job(start):
    speech = start(progression=Progression.after_reads(2))
    job_id = speech.preview.created()["id"]
    speech.emulator.settle()
    for _ in range(5):
        speech.get(job_id)
        speech.list()
    assert speech.preview.get(job_id).json()["status"] == "Running"


@pytest.mark.parametrize("policy", ["conflict", "existing", "replace"])
def test_an_id_that_a_job_of_the_other_generation_has_is_taken(start, policy):
    speech = start(repeat_put=policy)
    job_id = speech.preview.created()["id"]
    assert speech.put(job_id).status_code == 409
    assert speech.preview.get(job_id).status_code == 200


def test_a_name_and_an_id_may_be_the_same(speech):
    speech.finished("twin")
    speech.preview.finished("twin")
    assert speech.emulator.stats()["creates"]["accepted_by_name"] == {"twin": 2}
    assert speech.emulator.stats()["jobs"] == 2


def test_the_slots_are_shared(start):
    speech = start(progression=UNFINISHED, active_jobs_limit=2)
    speech.created("job-1")
    speech.preview.created()
    assert speech.put("job-2").status_code == 429
    assert speech.preview.post().status_code == 400
    assert speech.emulator.stats()["most_unfinished"] == 2


def test_the_allowance_is_shared_and_refused_in_the_words_of_each(start):
    speech = start(creates_per_minute=2)
    speech.preview.created()
    speech.created("job-1")
    ours, theirs = speech.put("job-2"), speech.preview.post()
    assert ours.status_code == theirs.status_code == 429
    assert ours.json()["error"]["code"] == "429"
    assert theirs.json()["code"] == "TooManyRequests"
    assert not [name for name in ours.headers if name.lower().startswith("x-ratelimit")]
    assert ours.headers["Retry-After"] == theirs.headers["Retry-After"]


def test_requests_of_both_are_counted_by_operation(speech):
    speech.created("job-1")
    job_id = speech.preview.created()["id"]
    speech.emulator.settle()
    speech.get("job-1")
    speech.preview.get(job_id)
    speech.list()
    speech.preview.list()
    speech.delete("job-1")
    speech.preview.delete(job_id)
    assert speech.emulator.stats()["requests"] == {
        "create": {"201": 2},
        "get": {"200": 2},
        "list": {"200": 2},
        "delete": {"204": 2},
    }


def test_a_generation_that_is_left_out_is_not_found(start):
    speech = start(api_versions=("2024-08-01",))
    for answer in (
        speech.preview.post(),
        speech.preview.get("x"),
        speech.preview.list(),
        speech.preview.delete("x"),
    ):
        assert answer.status_code == 404
    assert speech.put().status_code == 201

    speech = start(api_versions=("3.1-preview1",))
    for answer in (speech.put(), speech.get(), speech.list(), speech.delete()):
        assert answer.status_code == 404
    assert speech.preview.post().status_code == 201


def test_3_1_is_no_api_version_for_the_query(speech):
    assert speech.put(params={"api-version": "3.1-preview1"}).status_code == 400


def test_errors_of_2024_keep_their_shape_and_header(speech):
    answer = speech.get("absent")
    assert answer.headers["x-ms-error-code"] == answer.json()["error"]["code"] == "NotFound"
    assert "x-ms-error-code" not in speech.preview.get("absent").headers
