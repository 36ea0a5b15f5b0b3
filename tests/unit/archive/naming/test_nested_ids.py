"""Scripts with nested ids in an archive on a real storage, beside flat ids and beside archives in folders of it."""

import secrets

import pytest

from batch_avatar.archive.check import find_unmatched
from batch_avatar.archive.ledger import FEW_SCRIPTS, Archive
from batch_avatar.archive.naming.names import ARCHIVE_BLOB
from batch_avatar.archive.naming.own_blobs import ONE_PAGE, own_blobs
from batch_avatar.errors import ArchiveDamaged, InputError
from tests.unit.archive.known_claim import CLAIM

CONTENT_ID = CLAIM.content_id
MANY = [f"other-{number}" for number in range(FEW_SCRIPTS)]
"""Together with one more, too many to be looked up one by one."""


def claim(archive, script_id):
    archive.create_claim(CLAIM.model_copy(update={"script_id": script_id}))
    return script_id, CONTENT_ID


@pytest.fixture
def container(user_storage):
    with user_storage.get_container_client(f"archive-{secrets.token_hex(6)}") as client:
        yield client


@pytest.fixture
def archive(container):
    opened = Archive(container=container, prefix="films/2026/")
    opened.open()
    return opened


@pytest.fixture
def put(container):
    """`put(name)` leaves a blob in the archive."""
    return lambda name: container.upload_blob(f"films/2026/{name}", b"{}")


@pytest.fixture
def inner(container):
    """Another archive in the folder `hr` of the first."""
    opened = Archive(container=container, prefix="films/2026/hr/")
    opened.open()
    return opened


def test_a_listing_shows_flat_and_nested_scripts(archive, put):
    keys = {claim(archive, script_id) for script_id in ("hr", "hr/welcome", "hr/it/welcome")}
    put(f"hr/welcome/{CONTENT_ID}/1/video.mp4")

    for wanted in (None, ["hr", "hr/welcome", "hr/it/welcome"], ["hr", "hr/welcome", "hr/it/welcome", *MANY]):
        index = archive.index(wanted)
        assert (set(index.claims), index.odd) == (keys, [])
        assert index.video_of(("hr/welcome", CONTENT_ID), 1) == f"hr/welcome/{CONTENT_ID}/1/video.mp4"
        assert index.archive_ids == {archive.archive_id: 3}
        assert find_unmatched(index).videos == (f"hr/welcome/{CONTENT_ID}/1/video.mp4",)


@pytest.mark.parametrize("beside", [1, ONE_PAGE])
def test_a_look_up_lists_nothing_of_scripts_below_the_name(container, archive, put, beside):
    own = claim(archive, "hr")
    claim(archive, "hr/welcome")
    for number in range(beside):
        put(f"hr/00-before/{number}.txt")

    assert [blob.name for blob in own_blobs(container, "films/2026/hr/")] == [f"films/2026/hr/{CONTENT_ID}/claim.json"]
    assert set(archive.index(["hr"]).claims) == {own}
    assert set(archive.index(["hr/welcome"]).claims) == {("hr/welcome", CONTENT_ID)}
    assert set(archive.index(["h"]).claims) == set()


def test_a_nested_claim_without_its_metadata_is_read_whole(container, archive):
    key = claim(archive, "hr/welcome")
    container.get_blob_client(f"films/2026/hr/welcome/{CONTENT_ID}/claim.json").set_blob_metadata({})

    assert archive.index().claims[key]["job_id"] == CLAIM.last.job_id


def test_an_archive_in_a_folder_stays_an_archive_of_its_own(archive, inner, put):
    theirs = claim(inner, "intro")
    mine = claim(archive, "welcome")
    put(f"hr/intro/{CONTENT_ID}/1/video.mp4")
    archive.open()

    index = archive.index()

    assert (set(index.claims), index.archive_ids) == ({mine}, {archive.archive_id: 1})
    assert find_unmatched(index).videos == ()
    assert set(inner.index().claims) == {theirs}


@pytest.mark.parametrize("more", [[], MANY])
def test_no_script_is_looked_for_in_the_archive_of_another_folder(archive, inner, more):
    claim(inner, "intro")

    with pytest.raises(
        InputError, match="hr/intro would be archived in the folder hr/, which is an archive of its own"
    ):
        archive.index(["hr/intro", *more])


def test_a_look_up_sees_what_a_script_was_called_from_folders_below(archive):
    keys = {claim(archive, script_id) for script_id in ("welcome", "hr/welcome")}
    claim(archive, "it/welcome")

    assert set(archive.index(["a/hr/welcome"]).claims) == keys


def test_a_look_up_under_such_a_name_takes_nothing_of_another_archive(archive, inner):
    claim(inner, "welcome")

    assert archive.index(["a/hr/welcome"]).claims == {}


def test_a_new_archive_above_another_one_is_not_damaged(container, archive):
    claim(archive, "intro")

    Archive(container=container, prefix="films/").open()


def test_an_archive_with_nested_scripts_alone_that_lost_its_id_is_damaged_and_repaired(container, archive):
    claim(archive, "hr/welcome")
    container.delete_blob(f"films/2026/{ARCHIVE_BLOB}")
    again = Archive(container=container, prefix="films/2026/")

    with pytest.raises(ArchiveDamaged, match="its id is gone"):
        again.open()

    assert again.repair().about.archive_id == archive.archive_id
