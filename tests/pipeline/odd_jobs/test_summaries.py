"""Does the summary speak of the job and of the text that were sent? If not, the video may be another's."""

from __future__ import annotations

import json

import pytest

from tests.support.packs import render_packed, scripts_of

TEXT = "First things first.  Then the rest!\r\n\r\nIs that all? It is.\n"
SSML = (
    '<speak version="1.0" xmlns="http://www.w3.org/2001/10/synthesis" xml:lang="en-US">'
    '<voice name="en-US-AvaMultilingualNeural">Seven &amp; eight. <break time="1s"/>Nine.</voice></speak>'
)


def doubts(b):
    return {name: receipt["video"]["doubtful"] for name, receipt in b.receipts().items()}


def output(b, job_id, role):
    """The blob at the service, and what is in it."""
    b.emulator.settle()
    (job,) = (job for job in b.emulator.jobs() if job_id in (job["id"], job["name"]))
    (name,) = (output["name"] for output in job["outputs"] if output["role"] == role)
    blob = b.emulator.service.outputs.storage.get_blob_client("batchsynthesis-output", name)
    return blob, blob.download_blob().readall()


@pytest.mark.parametrize("api_version", ["2024-08-01", "3.1-preview1"])
@pytest.mark.parametrize("texts", ["whole", "sentences", "absent"])
def test_each_way_to_show_the_texts_is_no_mismatch(quick, script, texts, api_version):
    b = quick(summary_texts=texts)
    ssml = script("ssml", input_kind="SSML", content=SSML, voice=None)

    assert b.render([script(content=TEXT), ssml], api_version=api_version).archived == 2

    assert doubts(b) == {"intro": [], "ssml": []}
    assert b.emulator.stats()["jobs"] == 0


@pytest.mark.parametrize("texts", ["whole", "sentences", "absent"])
def test_the_texts_of_a_pack_are_compared_input_by_input(packs, texts):
    b = packs(summary_texts=texts)

    assert render_packed(b, scripts_of(3), 3).archived == 3

    assert doubts(b) == {"s1": [], "s2": [], "s3": []}


@pytest.mark.parametrize("api_version", ["2024-08-01", "3.1-preview1"])
def test_swapped_outputs_under_the_right_names_are_doubtful_and_the_jobs_kept(quick, script, api_version):
    b = quick()
    refs = b.submit([script("a"), script("b")], api_version=api_version)
    for role in ("video", "summary"):
        (first, one), (second, other) = (output(b, ref.job_id, role) for ref in refs)
        first.upload_blob(other, overwrite=True)
        second.upload_blob(one, overwrite=True)

    report = b.render([script("a"), script("b")], api_version=api_version)

    assert report.archived == 2
    assert doubts(b) == {"a": ["summary"], "b": ["summary"]}
    assert all("doubtful summary" in outcome.note for outcome in report.outcomes)
    assert b.emulator.stats()["jobs"] == 2


CHANGES = {
    "another job id": ({"jobID": "00000000-0000-4000-8000-000000000000"}, ["summary"]),
    "no job id": ({"jobID": None}, []),
    "no results": ({"results": None}, []),
    "another text": ({"results": [{"texts": ["Buy now."], "status": "Succeeded"}]}, ["summary"]),
    "another text under the audio sibling's name": ({"results": [{"contents": ["Buy now."]}]}, ["summary"]),
    "no texts": ({"results": [{"texts": []}]}, []),
    "texts that are none": ({"results": [{"texts": [7, {}]}]}, []),
}


@pytest.mark.parametrize(("change", "doubtful"), CHANGES.values(), ids=CHANGES)
def test_a_missing_member_is_no_mismatch_and_a_differing_one_is(quick, script, change, doubtful):
    b = quick()
    (ref,) = b.submit([script()])
    blob, content = output(b, ref.job_id, "summary")
    blob.upload_blob(json.dumps(json.loads(content) | change), overwrite=True)

    assert b.render([script()]).archived == 1

    assert doubts(b) == {"intro": doubtful}


def test_a_summary_that_names_the_job_as_the_client_does_is_right(quick, script):
    b = quick()
    (ref,) = b.submit([script()])
    blob, content = output(b, ref.job_id, "summary")
    blob.upload_blob(json.dumps(json.loads(content) | {"jobID": ref.job_id.upper()}), overwrite=True)

    assert b.render([script()]).archived == 1

    assert doubts(b) == {"intro": []}
