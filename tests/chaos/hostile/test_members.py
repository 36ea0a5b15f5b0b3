"""What the machine's judge is shown of packs and of drops: each thing that must not be is put there and named."""

from __future__ import annotations

import hashlib
import json

import pytest
from azure.storage.blob import ContainerClient

from batch_avatar.emulator.storage.azurite import USER_ACCOUNT
from tests.chaos.hostile.drops import Drops
from tests.chaos.hostile.members import unpacked
from tests.chaos.machine.evidence import Evidence

CONTENTS = {name: hashlib.sha256(name.encode()).hexdigest()[:16] for name in ("s1", "s2")}
TEXTS = {name: hashlib.sha256(f"Text of {name}.".encode()).hexdigest() for name in CONTENTS}
PACK = "0123456789abcdef"
MARK = f"batch-avatar:{'a' * 16}"


def blobs(**others):
    members = [{"script_id": name, "content_id": content, "attempt": 1} for name, content in CONTENTS.items()]
    found = {f"_packs/{PACK}.json": {"members": members}, "_archive.json": {"archive_id": "a" * 16}}
    for name, content in CONTENTS.items():
        place = f"{name}/{content}"
        found[f"{place}/claim.json"] = {"form": {"content": f"sha256:{TEXTS[name]}"}}
        found[f"{place}/1/summary.json"] = {"results": [{"texts": [f"Text of {name}."]}]}
    return {name: json.dumps(said).encode() for name, said in (found | others).items()}


def pack_job(*, inputs=("s1", "s2")):
    outputs = [{"role": "video", "name": f"pack/000{number}.mp4", "sha256": f"video {number}"} for number in (1, 2)]
    said = [{"content": TEXTS[name][:16]} for name in inputs]
    ids = {"id": f"pack-{PACK}-1", "name": f"pack-{PACK}-1", "internal_id": "i"}
    return {**ids, "description": MARK, "inputs": said, "outputs": outputs}


def shown(found):
    """By name of a job, its internal id and the digests of its outputs."""
    jobs = [job for jobs in found.ours.values() for job in jobs]
    return {job["name"]: (job["internal_id"], {one["role"]: one["sha256"] for one in job["outputs"]}) for job in jobs}


def test_each_input_is_a_job_of_its_script_with_its_own_video_and_summary():
    held = blobs()

    found = shown(unpacked(Evidence((pack_job(),), held)))

    for number, (name, content) in enumerate(CONTENTS.items(), start=1):
        summary = hashlib.sha256(held[f"{name}/{content}/1/summary.json"]).hexdigest()
        assert found[f"{name}-{content}-1"] == (f"i/{number}", {"video": f"video {number}", "summary": summary})


def test_inputs_that_are_not_those_of_the_record_have_no_outputs():
    found = shown(unpacked(Evidence((pack_job(inputs=("s2", "s1")),), blobs())))

    assert [outputs for _, outputs in found.values()] == [{}, {}]


def test_a_job_with_more_inputs_than_the_record_is_one_that_nobody_has_claimed():
    found = shown(unpacked(Evidence((pack_job(inputs=("s1", "s2", "s1")),), blobs())))

    assert f"pack-{PACK}-1" in found


def test_a_summary_of_another_text_is_not_the_services():
    place = f"s1/{CONTENTS['s1']}/1/summary.json"

    found = shown(unpacked(Evidence((pack_job(),), blobs(**{place: {"results": [{"texts": ["Text of s2."]}]}}))))

    assert found[f"s1-{CONTENTS['s1']}-1"][1]["summary"] == "that of another text"


@pytest.fixture
def drops(azurite):
    class World:
        """What drops need of it."""

        def connect(self, name):
            return ContainerClient.from_connection_string(azurite.connection_string(USER_ACCOUNT), name)

        def text(self, name):
            return f"Text of {name}."

    found = Drops(World(), {})
    found.drop(["s1"])
    yield found
    found.close()


def lose(drops):
    drops.container.delete_blob("inbox/team/s1.txt")


def change(drops):
    drops.container.upload_blob("inbox/team/s1.txt", "Another.", overwrite=True)


def process(drops):
    drops.container.upload_blob("processed/team/s1.txt", "Text of s1.")


def reject(drops):
    drops.container.upload_blob("rejected/team/s1.txt", "Text of s1.")
    lose(drops)


@pytest.mark.parametrize(
    ("deed", "named"),
    [
        (lambda _: None, []),
        (lose, ["the drop s1 is lost"]),
        (change, ["inbox/team/s1.txt has not the bytes that were dropped"]),
        (process, ["the drop s1 was processed, and it is not archived"]),
        (
            reject,
            [
                "the drop s1 was rejected, and no report says that it has failed",
                "the drop s1 was rejected without a reason",
            ],
        ),
    ],
    ids=["nothing", "lost", "changed", "processed", "rejected"],
)
def test_a_drop_that_is_not_where_it_belongs_is_named(drops, deed, named):
    deed(drops)

    assert list(drops.findings(Evidence())) == named
    assert drops.left() == ([] if deed in (lose, reject) else ["s1"])
