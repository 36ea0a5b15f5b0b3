"""What of an inbox is taken, refused or left alone, and where drops go."""

from dataclasses import replace

import pytest

from batch_avatar.archive.inbox_container import REASON_ENDING, Drop
from batch_avatar.inbox.intake import (
    ACCEPT,
    EMPTY_SECONDS,
    LONGEST_NAME,
    PROCESSED,
    REJECTED,
    KnownDrop,
    Look,
    facts_of_move,
    folder_of,
    look_over,
    reason_of_failure,
    reason_of_faults,
    target_of,
    with_advice,
)
from batch_avatar.models import FailureFacts, Outcome, OutcomeKind
from batch_avatar.service.wire.messages import MAX_BODY_BYTES

SETTLE_SECONDS = 30
OLD = 1000.0


def drop(name, *, etag="1", size=10, age=OLD):
    return Drop(f"inbox/{name}", etag, size, age)


def look(*drops, held=None):
    known = {f"inbox/{name}": one for name, one in (held or {}).items()}
    return look_over(drops, held=known, settle_seconds=SETTLE_SECONDS)


def names(drops):
    return [one.name.removeprefix("inbox/") for one in drops]


def refusals(found):
    return {one.name.removeprefix("inbox/"): reason for one, reason in found.refused}


def failed(failure_class, *, code="Code", message="It failed.", kind=OutcomeKind.FAILED):
    facts = FailureFacts.model_validate({"class": failure_class, "code": code, "message": message})
    return Outcome(script_id="a b", job_id="a-b-0123456789abcdef-1", outcome=kind, error=facts)


# What is taken


@pytest.mark.parametrize(
    "name", ["a.txt", "a.ssml", "a.xml", "A.TXT", "deep/er/a.txt", "a..b.txt", "ä ö.txt", "//a.txt"]
)
def test_scripts_are_taken_from_any_sub_folder(name):
    found = look(drop(name))

    assert names(found.good) == [name]
    assert (found.refused, found.stuck, found.waiting) == ((), (), 0)


def test_an_empty_inbox_and_one_with_defaults_only_leave_nothing_to_do():
    assert not look()
    assert not look(drop("defaults.toml"), drop("sub/defaults.toml"))


def test_the_oldest_drop_comes_first_and_then_the_name_decides():
    found = look(drop("b.txt"), drop("c.txt", age=OLD + 1), drop("a.txt"))

    assert names(found.good) == ["c.txt", "a.txt", "b.txt"]


def test_a_drop_is_left_alone_until_it_has_not_changed_for_long_enough():
    found = look(drop("young.txt", age=SETTLE_SECONDS - 1), drop("old.txt", age=SETTLE_SECONDS))

    assert names(found.good) == ["old.txt"]
    assert found.waiting == 1


def test_what_will_be_rejected_is_left_alone_as_long_since_it_may_be_written_to():
    found = look(drop("young.bin", age=0), drop("large.txt", size=MAX_BODY_BYTES + 1, age=0))

    assert (found.refused, found.waiting) == ((), 2)


def test_an_empty_blob_may_become_a_script_for_ten_minutes_and_is_rejected_then():
    found = look(drop("a.txt", size=0, age=EMPTY_SECONDS - 1), drop("b.txt", size=0, age=EMPTY_SECONDS))

    assert found.waiting == 1
    assert refusals(found) == {"b.txt": "it is empty"}


@pytest.mark.parametrize(("size", "age"), [(10, SETTLE_SECONDS - 1), (0, EMPTY_SECONDS - 1)])
def test_drops_wait_for_defaults_that_are_being_written_in_their_own_folder_only(size, age):
    found = look(drop("sub/defaults.toml", size=size, age=age), drop("sub/a.txt"), drop("b.txt"))

    assert names(found.good) == ["b.txt"]
    assert found.waiting == 1


def test_defaults_are_told_by_folder_and_are_no_script_themselves():
    found = look(drop("defaults.toml"), drop("sub/defaults.toml"), drop("sub/a.txt"), drop("sub/x.defaults.toml"))

    assert {folder: one.name for folder, one in found.defaults.items()} == {
        "inbox": "inbox/defaults.toml",
        "inbox/sub": "inbox/sub/defaults.toml",
    }
    assert list(refusals(found)) == ["sub/x.defaults.toml"]


# What is refused


@pytest.mark.parametrize("name", ["a.docx", "a", ".txt", "a.txt.bak", "sub/picture.png", "a.txt "])
def test_what_is_no_script_is_refused_with_what_would_be_taken(name):
    reason = refusals(look(drop(name)))[name]

    assert all(kind in reason for kind in ("*.txt", "*.ssml", "*.xml", "defaults.toml"))


@pytest.mark.parametrize("name", ["all.jsonl", "all.NDJSON", "all.csv"])
def test_a_manifest_is_refused_with_the_way_that_is_for_it(name):
    assert "render-batch" in refusals(look(drop(name)))[name]


def test_a_reason_that_was_dropped_beside_its_script_is_never_spoken():
    assert refusals(look(drop("a.txt"), drop("a.txt.reason.txt"))) == {
        "a.txt.reason.txt": "it is the reason of an earlier rejection, not a script: "
        "*.txt, *.ssml and *.xml are taken, and a defaults.toml beside them"
    }


def test_a_blob_that_no_request_can_hold_is_refused_unread():
    found = look(drop("a.txt", size=MAX_BODY_BYTES), drop("b.txt", size=5_000_000_000))

    assert names(found.good) == ["a.txt"]
    assert refusals(found) == {"b.txt": "it has 5,000,000,000 bytes; a request with it may have 500,000"}


@pytest.mark.parametrize("name", ["../a.txt", "sub/../../a.txt", "./a.txt", ".."])
def test_a_name_that_would_lead_elsewhere_is_never_put_into_a_request(name):
    found = look(drop(name), drop("b.txt"))

    assert names(found.stuck) == [name]
    assert names(found.good) == ["b.txt"]
    assert found


# Two of a name


def test_of_two_drops_with_one_script_id_the_older_counts_and_the_other_is_told_so():
    found = look(drop("a.ssml", age=OLD + 1), drop("a.txt"), drop("sub/a.xml", age=OLD + 2))

    assert names(found.good) == ["sub/a.xml"]
    assert refusals(found) == dict.fromkeys(
        ["a.ssml", "a.txt"], "its script_id is taken by inbox/sub/a.xml, which is in the inbox as well"
    )


def test_names_that_differ_in_their_unicode_form_only_are_one():
    found = look(drop("\u00e9.txt"), drop("e\u0301.txt"))

    assert len(found.good) == len(found.refused) == 1


def test_what_is_no_script_takes_no_name():
    assert names(look(drop("a.png", age=OLD + 1), drop("a.txt")).good) == ["a.txt"]
    assert names(look(drop("a.png"), drop("a.txt"), held={"a.png": KnownDrop("1", "", running=False)}).good) == [
        "a.txt"
    ]


@pytest.mark.parametrize("running", [True, False])
def test_a_drop_that_this_run_knows_keeps_its_name_and_is_not_taken_again(running):
    found = look(drop("a.txt"), drop("b/a.txt", age=OLD + 1), held={"a.txt": KnownDrop("1", "a", running=running)})

    assert found.good == ()
    assert refusals(found) == {"b/a.txt": "its script_id is taken by inbox/a.txt, which is in the inbox as well"}


def test_what_stayed_is_taken_again_once_it_has_changed():
    assert names(look(drop("a.txt", etag="2"), held={"a.txt": KnownDrop("1", "a", running=False)}).good) == ["a.txt"]


def test_what_changes_while_it_is_rendered_is_left_alone_until_then():
    assert not look(drop("a.txt", etag="2"), held={"a.txt": KnownDrop("1", "a", running=True)})


def test_a_script_that_is_being_rendered_is_not_rendered_beside_itself_though_its_drop_is_gone():
    found = look(drop("sub/a.txt"), held={"a.txt": KnownDrop("1", "a", running=True)})

    assert (found.good, found.refused, found.waiting) == ((), (), 1)


# Where drops go


def test_a_drop_keeps_its_name_and_its_sub_folders():
    assert target_of("inbox/deep/er/a.txt", PROCESSED) == "processed/deep/er/a.txt"
    assert target_of("inbox/inbox/a.txt", REJECTED) == "rejected/inbox/a.txt"


@pytest.mark.parametrize("folder", [PROCESSED, REJECTED])
def test_no_target_and_no_reason_is_longer_than_a_name_may_be_and_two_stay_two(folder):
    longest = [f"inbox/{'x' * 500}/{'y' * (LONGEST_NAME - 507 - len(end))}{end}" for end in ("1.txt", "2.txt")]
    targets = {target_of(name, folder) for name in longest}

    assert {len(name) for name in longest} == {LONGEST_NAME}
    assert len(targets) == 2
    assert all(len(target + REASON_ENDING) <= LONGEST_NAME for target in targets)
    assert all(target.startswith(f"{folder}xxx") and target.endswith(".txt") for target in targets)


def test_a_rejected_reason_cannot_be_overwritten_by_the_reason_of_its_script():
    assert target_of("inbox/a.txt.reason.txt", REJECTED) != target_of("inbox/a.txt", REJECTED) + REASON_ENDING
    assert target_of("inbox/a.txt.reason.txt", REJECTED).startswith("rejected/a.txt.reason~")


@pytest.mark.parametrize(
    ("outcome", "folder"),
    [
        (Outcome(script_id="a", outcome=OutcomeKind.ARCHIVED), PROCESSED),
        (Outcome(script_id="a", outcome=OutcomeKind.SKIPPED), PROCESSED),
        (failed("input"), REJECTED),
        (failed("job"), REJECTED),
        (failed("lost"), REJECTED),
        (failed("changed"), None),
        (failed("access", kind=OutcomeKind.UNFINISHED), None),
        (failed("stopped", kind=OutcomeKind.UNFINISHED), None),
        (failed("transient", kind=OutcomeKind.UNFINISHED), None),
    ],
)
def test_an_outcome_decides_the_folder(outcome, folder):
    assert folder_of(outcome) == folder


def test_a_change_that_was_not_accepted_says_how_to_accept_it_and_nothing_else_is_touched():
    changed, other = failed("changed"), failed("job")

    assert with_advice(changed).error.message == f"It failed.; {ACCEPT}"
    assert with_advice(other) == other
    assert with_advice(Outcome(script_id="a", outcome=OutcomeKind.ARCHIVED)).error is None


def test_the_facts_of_a_move_are_fit_for_headers():
    archived = Outcome(
        script_id="é b", job_id="j-1", outcome=OutcomeKind.ARCHIVED, blob_prefix="team/é b/0123456789abcdef/"
    )

    assert facts_of_move(archived, "run-1") == {
        "script_id": "%C3%A9%20b",
        "content_id": "0123456789abcdef",
        "archive": "team/%C3%A9%20b/0123456789abcdef/",
        "job_id": "j-1",
        "run": "run-1",
    }
    assert facts_of_move(failed("input"), "r") == {"script_id": "a%20b", "job_id": "a-b-0123456789abcdef-1", "run": "r"}


def test_the_reason_of_a_drop_that_was_no_script_lists_every_fault():
    assert reason_of_faults("inbox/a.txt", ["one", "two"]) == (
        "inbox/a.txt was not rendered, and nothing was billed:\n- one\n- two\n\nMend it and drop it again.\n"
    )


@pytest.mark.parametrize(
    ("failure_class", "advice"),
    [
        ("input", "The service refuses it as it is. Mend it"),
        ("job", "`batch-avatar failed replay 'a b'`, or drop it again and run render-inbox with retry_failed"),
        ("lost", "rerender_lost (in the command: `--rerender-lost`)"),
        ("", "Mend it and drop it again."),
    ],
)
def test_the_reason_of_a_failure_has_its_facts_and_what_to_do_next(failure_class, advice):
    reason = reason_of_failure("inbox/a b.txt", failed(failure_class, message="No {voice}."))

    assert reason.startswith(f"inbox/a b.txt was not rendered.\n\nclass: {failure_class}\ncode: Code\n")
    assert "\nmessage: No {voice}.\njob: a-b-0123456789abcdef-1\n\n" in reason
    assert advice in reason


# Ids that are paths, and what systems leave


def by_path(name, **facts):
    return replace(drop(name, **facts), ids="path")


def test_a_drop_is_called_by_its_name_unless_paths_are_wanted():
    assert [one("hr/de/größe.v2.txt").script_id for one in (drop, by_path)] == ["größe.v2", "hr/de/größe.v2"]
    assert [one("hr/a.png").script_id for one in (drop, by_path)] == ["", ""]


def test_the_same_name_in_two_folders_is_two_scripts_where_ids_are_paths():
    assert len(look(by_path("hr/a.txt"), by_path("it/a.txt")).good) == 2
    assert len(look(drop("hr/a.txt"), drop("it/a.txt")).good) == 1


@pytest.mark.parametrize("name", ["._a.txt", "hr/~$a.docx", ".DS_Store", "hr/Thumbs.db", "desktop.ini"])
def test_what_a_system_left_is_neither_taken_nor_refused(name):
    assert look(drop(name)) == Look()
