"""The error tree as drawn, and no secret in any message."""

import copy
import re
from datetime import UTC, datetime

import pytest

from batch_avatar import errors
from batch_avatar.errors import (
    BatchAvatarError,
    FailureClass,
    JobFailed,
    JobOverdue,
    ManifestError,
    RequestRefused,
    ServiceUnavailable,
    Throttled,
)
from batch_avatar.models import SynthesisJob
from batch_avatar.safe_text.redaction import redact

DRAWN = re.compile(r"^(?P<indent>[│├└─ ]*)(?P<name>[A-Z]\w+)(?: +(?P<word>[a-z]+)(?:  |$))?")
CANARY = "c4n4ry%2BSecret%3D"
SAS = f"https://u.blob.core.windows.net/c/b.mp4?sv=2024-11-04&se=2026-12-01&sr=b&sp=r&sig={CANARY}"


def drawn_tree():
    """Class name to the name of its parent and the word beside it, from the drawing in the docstring."""
    found, path = {}, []
    for line in errors.__doc__.splitlines()[2:]:
        match = DRAWN.match(line)
        depth = len(match["indent"]) // 4
        path[depth:] = [match["name"]]
        found[match["name"]] = (path[depth - 1] if depth else None, match["word"])
    return found


def real_classes():
    return {
        name: kind
        for name, kind in vars(errors).items()
        if isinstance(kind, type) and issubclass(kind, BatchAvatarError)
    }


def test_every_error_stands_in_the_drawing_under_its_parent_and_no_other_does():
    real = {
        name: kind.__base__.__name__ if kind is not BatchAvatarError else None for name, kind in real_classes().items()
    }

    assert {name: parent for name, (parent, _) in drawn_tree().items()} == real


def test_the_word_beside_a_name_is_its_failure_class():
    real, drawn = real_classes(), drawn_tree()
    for name, (parent, word) in drawn.items():
        word_or_inherited = word or (drawn[parent][1] if parent else None)
        if word_or_inherited:
            assert real[name].failure_class == word_or_inherited, name


def test_what_the_drawing_calls_transient_throttled_or_not_yet_is_retriable_and_nothing_else():
    retriable = {name for name, kind in real_classes().items() if kind.retriable}

    assert retriable == {
        "Throttled",
        "TooManyJobs",
        "ServiceUnavailable",
        "CreateUnclear",
        "StillRunning",
        "TransferError",
        "LinkExpired",
        "SideFileMissing",
        "ArchiveUnavailable",
    }


SECRETS = {
    "a link": SAS,
    "a link in a sentence": f"cannot read {SAS}, will try again",
    "a link in quotes": f"url='{SAS}'",
    "a signature first": f"https://x/y?sig={CANARY}&se=2026",
    "a signature in capitals": f"https://x/y?SIG={CANARY}",
    "a link inside another": f"https://x/y?next=https%3A%2F%2Fu%2Fc%3Fsv%3D1%26sig%3D{CANARY}",
    "a link inside another, alone": f"https://x/y?next=https%3A%2F%2Fu%2Fc%3Fsig%3D{CANARY}",
    "a connection string": f"DefaultEndpointsProtocol=https;AccountName=a;AccountKey={CANARY};EndpointSuffix=x",
    "a connection string with a SAS": f"BlobEndpoint=https://x;SharedAccessSignature=sv=1&sig={CANARY}",
    "json": f'{{"result": "{SAS}"}}',
    "xml": f"<Message>{SAS}</Message>",
    "two links": f"{SAS} {SAS}",
}


@pytest.mark.parametrize("name", SECRETS)
def test_signatures_and_account_keys_are_cut_out(name):
    assert CANARY not in redact(SECRETS[name])


def test_no_error_shows_a_signature():
    assert CANARY not in str(BatchAvatarError(SAS))
    assert CANARY not in repr(BatchAvatarError(SAS))
    assert CANARY not in str(ServiceUnavailable(SAS, code=SAS))
    assert CANARY not in str(ManifestError([SAS, SAS]))
    assert CANARY not in "".join(ManifestError([SAS]).faults)


def test_an_error_names_script_job_and_request_as_far_as_they_are_known():
    error = RequestRefused("no such voice", code="BadRequest", request_id="r-1", http_status=400)
    assert str(error) == "BadRequest: no such voice [request r-1]"

    error.about(script_id="intro", job_id="intro-1")
    error.about(script_id="other", job_id="other-1")

    assert str(error) == "BadRequest: no such voice [script intro, job intro-1, request r-1]"


def test_an_error_without_a_code_goes_by_its_own_name():
    error = ServiceUnavailable("nobody there")

    assert (error.code, str(error)) == ("ServiceUnavailable", "nobody there")


def test_an_error_says_what_the_request_was_for():
    error = ServiceUnavailable("nobody there", request_id="r-1")
    error.about(doing="listing the jobs of west")

    assert str(error) == "nobody there [request r-1, while listing the jobs of west]"


JOB = SynthesisJob(
    service_id="c48b4cf5",
    display_name="intro-0123456789abcdef-1",
    status="Failed",
    observed_at=datetime(2026, 11, 21, 9, tzinfo=UTC),
)


@pytest.mark.parametrize(
    "error", [JobFailed("no", job=JOB, worth_another_attempt=True), JobOverdue("late", job=JOB)], ids=lambda e: e.code
)
def test_the_error_of_a_job_names_it_as_we_do_and_keeps_it_whole(error):
    """Where the service chooses the ids, people know the job by ours."""
    assert (error.job_id, error.job.service_id) == ("intro-0123456789abcdef-1", "c48b4cf5")
    assert "intro-0123456789abcdef-1" in str(error)


@pytest.mark.parametrize(
    "error",
    [
        BatchAvatarError("x", code="C", script_id="intro", job_id="j", request_id="r-1"),
        ManifestError(["a:1: x", "b:2: y"]),
        Throttled("x", http_status=429, retry_after_seconds=7.0),
        JobFailed("no", job=JOB, code="BadRequest", worth_another_attempt=True),
        JobOverdue("late", job=JOB),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_copy_of_an_error_is_another_one_of_the_same_kind_with_the_same_facts(error):
    twin = copy.copy(error)
    assert (type(twin), vars(twin), str(twin)) == (type(error), vars(error), str(error))

    twin.code = "another"

    assert error.code != "another"


def test_every_class_of_failure_but_that_of_plans_is_that_of_some_error():
    of_plans = {FailureClass.CHANGED, FailureClass.LONG}
    assert {kind.failure_class for kind in real_classes().values()} == set(FailureClass) - of_plans


def test_faults_are_counted_and_listed():
    assert str(ManifestError(["a:1: x"])) == "1 fault in the scripts:\n  a:1: x"
    assert str(ManifestError(["a:1: x", "b:2: y"])) == "2 faults in the scripts:\n  a:1: x\n  b:2: y"
