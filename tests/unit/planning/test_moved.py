"""A script whose id is new and that says what is archived under another id, as when sub folders are read from above."""

from batch_avatar.archive.index import ArchiveIndex
from batch_avatar.archive.naming.names import earlier_ids
from batch_avatar.models import Script
from batch_avatar.planning.permits import Permits
from batch_avatar.planning.plan import PlanState
from batch_avatar.planning.reconciliation import reconcile
from tests.unit.planning.test_reconciliation import ARCHIVE, content_id, receipt, video

LOOK = {"voice": "v", "talking_avatar_character": "lisa"}


def script(script_id, content="Hi."):
    return Script(script_id=script_id, content=content, **LOOK)


def index_of(*scripts):
    index = ArchiveIndex()
    for one in scripts:
        for name, metadata in (receipt(script=one), video(script=one)):
            index.enter(name, metadata)
    return index


def planned(*wanted, archived=(), **permits):
    found = reconcile(
        wanted, archive_id=ARCHIVE, jobs=(), index=index_of(*archived), permits=Permits(**permits), max_changed=1
    )
    return list(found.items)


def test_what_is_archived_under_another_id_with_the_same_end_counts_as_changed():
    for new, old in (("hr/welcome", "welcome"), ("welcome", "hr/welcome"), ("a/hr/welcome", "hr/welcome")):
        [item] = planned(script(new), archived=[script(old)])

        assert item.state is PlanState.CHANGED
        assert item.detail == f"says what is archived as {old}/{content_id(script(old))}"
        assert item.failure is None, "one change is allowed"


def test_many_of_them_are_refused_like_other_changes_until_they_are_accepted():
    wanted = [script("hr/a"), script("hr/b")]
    archived = [script("a"), script("b")]

    assert {item.failure.code for item in planned(*wanted, archived=archived)} == {"ChangesNotAccepted"}
    assert {item.failure for item in planned(*wanted, archived=archived, accept_changes=True)} == {None}


def test_other_words_another_end_or_an_id_that_is_wanted_as_well_is_new():
    for wanted, archived in (
        ([script("hr/welcome", "Other.")], [script("welcome")]),
        ([script("hr/welcome")], [script("hello")]),
        ([script("hr/welcome")], [script("xwelcome")]),
        ([script("it/welcome"), script("hr/welcome")], [script("hr/welcome")]),
    ):
        assert planned(*wanted, archived=archived)[0].state is PlanState.NEW


def test_a_few_scripts_are_looked_up_under_the_ids_that_they_had_from_folders_below():
    assert list(earlier_ids("a/hr/welcome")) == ["hr/welcome", "welcome"]
    assert list(earlier_ids("welcome")) == []
