"""What is doubtful about a video because of its summary or its job, noted after the video."""

import pytest

from batch_avatar.archive.transfer import note_late_doubts
from batch_avatar.receipt import StoredBlob


@pytest.mark.parametrize("doubt", ["summary", "avatar", "link"])
def test_a_doubt_that_was_not_looked_for_again_stays(doubt):
    """Its job would be deleted otherwise. There is nothing to write, so the storage is not asked."""
    video = StoredBlob(
        blob_name="a/1/video.mp4",
        size_bytes=1,
        sha256="0" * 64,
        content_md5="",
        content_type="video/mp4",
        doubtful=("size", doubt),
    )
    no_storage = None

    assert note_late_doubts(no_storage, video, [], looked_for={"link", "summary", "avatar"} - {doubt}) == video
    assert note_late_doubts(no_storage, video, [doubt], looked_for={doubt}) == video
