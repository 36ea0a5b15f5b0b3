"""Whose fault it is that a create is answered with errors."""

import pytest

from batch_avatar.errors import CreateGivenUp, CreateUnclear, RequestRefused
from batch_avatar.planning.stubborn import MAX_SENDS, MOST_ERRORS, OTHERS, StubbornCreates

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
