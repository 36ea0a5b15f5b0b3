"""A link that is not opened costs its own script nothing but time, and no other script anything; its job is kept."""

from __future__ import annotations

import pytest

from batch_avatar.emulator.faults import Change, FaultRule

LINKS = {
    "malformed": "https://[/0001.mp4?sig=canary",
    "of another scheme": "ftp://x.blob.core.windows.net/0001.mp4?sig=canary",
    "of the machine's own network": "https://169.254.169.254/0001.mp4?sig=canary",
}


def linked(output, link, script_id):
    members = {f"outputs.{output}": link}
    return [
        FaultRule(operation="list", action=Change(members=members, matching=f"^{script_id}")),
        FaultRule(operation="get", action=Change(members=members), job_id=f"^{script_id}"),
    ]


def kept(b):
    return [job["id"].split("-")[0] for job in b.emulator.jobs() if not job["removed"]]


@pytest.mark.parametrize("link", LINKS.values(), ids=LINKS)
def test_a_link_that_is_refused_leaves_its_script_unfinished_at_once_and_its_job_alone(quick, script, link):
    b = quick(faults=linked("result", link, "bad"))

    report = b.render([script("bad"), script("good")])

    assert (report.archived, report.unfinished) == (1, 1)
    [outcome] = [outcome for outcome in report.outcomes if outcome.script_id == "bad"]
    assert outcome.error.code == "LinkRefused"
    assert "canary" not in outcome.error.message
    assert kept(b) == ["bad"]
    b.emulator.clear_faults()
    assert b.render([script("bad"), script("good")]).archived == 1
    assert b.emulator.stats()["creates"]["accepted"] == 2


def test_a_sweep_archives_all_but_the_job_with_the_malformed_link(quick, script):
    scripts = [script("bad"), script("good"), script("fine")]
    b = quick(faults=linked("result", "https://[/x?sig=canary", "bad"))
    b.submit(scripts)
    b.emulator.settle()

    report = b.sweep()

    assert [item.ref.script_id for item in report.items if item.error] == ["bad"]
    assert sorted(b.receipts()) == ["fine", "good"]
    assert kept(b) == ["bad"]


def test_a_failed_job_with_a_malformed_link_to_a_result_is_kept(quick, script):
    members = {"status": "Failed", "outputs.result": "https://[/x?sig=canary"}
    b = quick(faults=[FaultRule(operation=name, action=Change(members=members)) for name in ("list", "get")])

    report = b.render([script("bad")])

    assert report.archived == 0
    assert kept(b) == ["bad"]
    assert b.emulator.stats()["creates"]["accepted"] == 1
