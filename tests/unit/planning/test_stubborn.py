"""Whose fault it is that a create is answered with errors."""

import pytest

from batch_avatar.errors import CreateGivenUp, CreateUnclear, RequestRefused, TooManyJobs
from batch_avatar.planning.stubborn import MAX_SENDS, MOST_ERRORS, MOST_PUT_OFF, OTHERS, PutOff, StubbornCreates

ERROR = CreateUnclear("Object reference not set.", http_status=500, code="InternalServerError", request_id="r-1")


def creates(*, errors, others_between):
    found = StubbornCreates()
    for number in range(errors):
        found.unclear("a", ERROR)
        if number < errors - 1:
            for other in range(others_between):
                found.accepted(f"other-{other}")
    return found


def test_errors_while_others_are_accepted_are_the_scripts_fault():
    end = creates(errors=MAX_SENDS, others_between=OTHERS).verdict("a")

    assert isinstance(end, RequestRefused)
    assert (end.code, end.request_id) == ("InternalServerError", "r-1")
    assert "Object reference not set." in end.message


def test_two_errors_prove_nothing_however_many_others_are_accepted():
    """At random they hit one script of a large batch all the same."""
    assert creates(errors=2, others_between=100).verdict("a") is None


def test_errors_without_others_are_nobodys_fault_and_end_some_time():
    assert creates(errors=MOST_ERRORS - 1, others_between=0).verdict("a") is None
    assert isinstance(creates(errors=MOST_ERRORS, others_between=0).verdict("a"), CreateGivenUp)


@pytest.mark.parametrize("status", [None, 408, 429])
def test_no_answer_and_other_refusals_say_nothing(status):
    found = StubbornCreates()
    for _ in range(MOST_ERRORS):
        found.unclear("a", CreateUnclear("?", http_status=status))

    assert found.verdict("a") is None


def test_a_success_forgets_the_errors():
    found = creates(errors=MAX_SENDS, others_between=OTHERS)
    found.accepted("a")

    assert found.verdict("a") is None


# Refusals for now

FULL = TooManyJobs("There are too many active jobs.", http_status=429, code="TooManyRequests", request_id="r-2")
PATIENCE = 4 * 3600.0


def put_off(refusals, *, others_between, pause_seconds):
    """What the last of these refusals leads to; all before it must lead to nothing."""
    found = PutOff(PATIENCE)
    *before, last = [
        found.verdict(FULL, number * others_between, at=1000 + number * pause_seconds) for number in range(refusals)
    ]
    assert before == [None] * (refusals - 1)
    return last


def test_a_create_that_finds_no_room_while_others_do_is_left_for_another_run_with_the_services_words():
    end = put_off(MOST_PUT_OFF, others_between=OTHERS, pause_seconds=10)

    assert isinstance(end, CreateGivenUp)
    assert (end.code, end.request_id, end.retriable) == ("TooManyRequests", "r-2", False)
    assert "10 times, each time after it had taken others: There are too many active jobs." in end.message


@pytest.mark.parametrize(("refusals", "others"), [(MOST_PUT_OFF - 1, 100), (5 * MOST_PUT_OFF, 0)])
def test_a_few_refusals_for_now_and_those_of_a_full_service_are_waited_out(refusals, others):
    assert put_off(refusals, others_between=others, pause_seconds=60) is None


def test_refusals_close_to_each_other_count_once_others_were_accepted_between_them():
    """Where a slot is free now and then, several creates are refused for each that is accepted."""
    assert put_off(OTHERS * (MOST_PUT_OFF - 1), others_between=1, pause_seconds=10) is None
    assert put_off(OTHERS * (MOST_PUT_OFF - 1) + 1, others_between=1, pause_seconds=10) is not None


def test_a_service_that_is_full_for_longer_than_any_job_may_take_is_waited_for_no_more():
    pauses = int(PATIENCE / 60)

    end = put_off(pauses + 1, others_between=0, pause_seconds=60)

    assert isinstance(end, CreateGivenUp)
    assert "for 4.0 h" in end.message
