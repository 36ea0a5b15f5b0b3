"""Which checks are made, which are skipped, and what becomes of those that do not end."""

from __future__ import annotations

import threading

import pytest

from batch_avatar.clock import SystemClock
from batch_avatar.doctor.checks import Check, Status, Step, failed, ok, skipped, warning
from batch_avatar.doctor.runner import run_steps
from batch_avatar.errors import ServiceUnavailable

A, B, C, D = "a", "b", "c", "d"


def giving(*checks):
    return lambda: iter(checks)


def run(*steps):
    return {check.name: (check.status.value, check.found) for check in run_steps(steps, SystemClock())}


def test_what_rests_on_a_failed_check_is_not_made_and_names_the_first_cause():
    made = []
    said = run(
        Step((A,), giving(failed(A, "broken", "mend it"))),
        Step((B,), lambda: made.append(B) or [], needs=(A,)),
        Step((C,), lambda: made.append(C) or [], needs=(B,)),
        Step((D,), giving(ok(D, "well"))),
    )

    assert said == {A: ("failed", "broken"), B: ("skipped", "after a"), C: ("skipped", "after a"), D: ("ok", "well")}
    assert made == []


def test_a_failed_check_ends_its_step_and_a_check_before_it_stays():
    said = run(
        Step((A, B, C), giving(ok(A, "well"), failed(B, "broken", "mend it"))),
        Step((D,), giving(ok(D, "well")), needs=(A,)),
    )

    assert said == {A: ("ok", "well"), B: ("failed", "broken"), C: ("skipped", "after b"), D: ("ok", "well")}


@pytest.mark.parametrize("first", [warning(A, "odd", "look"), skipped(A, "not set"), ok(A, "well")])
def test_what_rests_on_a_check_that_has_not_failed_is_made(first):
    assert run(Step((A,), giving(first)), Step((B,), giving(ok(B, "well")), needs=(A,)))[B] == ("ok", "well")


def test_a_step_that_is_only_later_is_made_after_a_failed_one():
    order = []
    said = run(
        Step((B,), lambda: order.append(B) or [ok(B, "well")], after=(A,)),
        Step((A,), lambda: order.append(A) or [failed(A, "broken", "mend it")]),
    )

    assert (said[B], order) == (("ok", "well"), [A, B])


def test_steps_that_do_not_rest_on_each_other_are_made_at_once():
    """Each waits for the other one."""
    both = threading.Barrier(2)

    def meet(name):
        both.wait()
        return [ok(name, "met")]

    assert run(Step((A,), lambda: meet(A)), Step((B,), lambda: meet(B))) == {A: ("ok", "met"), B: ("ok", "met")}


def test_a_check_without_an_answer_is_told_as_such_and_waited_for_no_longer():
    over = threading.Event()

    def never():
        over.wait()
        return [ok(A, "late")]

    try:
        (one, other) = run_steps(
            [Step((A,), never, seconds=0.01, too_late="look there"), Step((B,), giving(ok(B, "well")), needs=(A,))],
            SystemClock(),
        )
    finally:
        over.set()

    assert one == Check(A, Status.FAILED, "no answer within 0.01 s", "look there")
    assert other.found == "after a"


def test_an_error_is_the_check_that_was_about_to_be_made():
    def break_off():
        yield ok(A, "well")
        raise ServiceUnavailable("no answer")

    assert run(Step((A, B), break_off)) == {A: ("ok", "well"), B: ("failed", "no answer")}


def test_a_mistake_of_ours_hides_no_other_check():
    said = run(Step((A,), lambda: [1 / 0]), Step((B,), giving(ok(B, "well"))))

    assert said == {A: ("failed", "a mistake in this program (ZeroDivisionError)"), B: ("ok", "well")}
