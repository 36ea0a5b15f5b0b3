"""When two failures of a script count as one and the same."""

import pytest

from batch_avatar.planning.decision import blames_input, fails_alike
from batch_avatar.receipt import Attempt

FIRST = "VoiceNotFound: The voice of intro-0123456789abcdef-1 is unknown at 2026-11-30T21:00:00Z (3 of 7)."


def before(ended=FIRST, **members):
    return [Attempt(number=1, job_id="intro-1", ended=ended, **members)]


@pytest.mark.parametrize(
    ("code", "ended", "alike"),
    [
        ("VoiceNotFound", FIRST, True),
        (
            "VoiceNotFound",
            FIRST.replace("abcdef-1", "abcdef-2").replace("21:00", "22:17").replace("3 of 7", "4 of 7"),
            True,
        ),
        ("VoiceNotFound", FIRST.replace("unknown", "busy"), False),
        ("VoiceNotFound", f"{FIRST} Really?", False),
        ("AvatarNotFound", FIRST.replace("VoiceNotFound", "AvatarNotFound"), False),
        (None, FIRST, False),
        ("Aborted", FIRST, False),
    ],
)
def test_ids_times_and_numbers_make_no_difference_and_words_do(code, ended, alike):
    assert fails_alike(code, ended, before()) is alike


@pytest.mark.parametrize(
    "code",
    [
        *("Timeout", "timeout", "ServiceTimeout", "OperationTimedOut", "InternalError", "InternalServerError"),
        *("ServerError", "ServiceError", "ServiceUnavailable", "SERVICEUNAVAILABLE", "ServerBusy", "PipelineError"),
        *("500", "503", "504", "599", "408", "429", " 500 "),
    ],
)
def test_a_code_of_the_services_own_never_counts_as_the_same_reason(code):
    said = f"{code}: It did not work."

    assert not fails_alike(code, said, before(said))
    assert not blames_input(code)


@pytest.mark.parametrize("code", ["400", "404", "5000", "50", "Time", "InternalModel"])
def test_another_code_counts_as_the_same_reason(code):
    said = f"{code}: It did not work."

    assert fails_alike(code, said, before(said))


@pytest.mark.parametrize("code", ["BadRequest", "badrequest", "InvalidPayload", "UnprocessableEntity"])
def test_a_code_that_blames_the_input_does_so_in_any_case(code):
    assert blames_input(code)


def test_a_failure_without_a_code_blames_nobody():
    assert not blames_input(None)


def test_a_pack_and_an_attempt_that_did_not_end_say_nothing_about_a_script_alone():
    assert not fails_alike("VoiceNotFound", FIRST, before(input=2))
    assert not fails_alike("VoiceNotFound", FIRST, before(ended=None))


def test_a_reason_that_was_cut_is_compared_as_far_as_it_goes():
    long = "VoiceNotFound: " + "very " * 400
    assert fails_alike("VoiceNotFound", long[:1000], before(ended=long[:1000]))
