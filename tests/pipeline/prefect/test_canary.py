"""Secrets that are put in everywhere, and sought in every place that people or other programs can read."""

from __future__ import annotations

import html
import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import pytest

from batch_avatar.emulator.faults import Change, FailJob, FaultRule, Status, StickJob
from tests.support.processes import CLI, run_python, start_python
from tests.support.scripts import script, write_manifest
from tests.support.waiting import until
from tests.unit.safe_text.hostile_text import HOSTILE

pytestmark = [pytest.mark.prefect, pytest.mark.xdist_group("prefect"), pytest.mark.timeout(420)]

LOUD = (
    "import logging, sys; logging.basicConfig(level=logging.DEBUG, filename='debug.log');"
    "from batch_avatar.commands.cli import main; main(sys.argv[1:])"
)
"""The command, with everything that every logger says in a file."""
VENDORS = {
    "azure": "sv=2024-11-04&se=2030-01-01&sr=b&sp=r&sig=c4n4ryAzure01",
    "s3": "X-Amz-Algorithm=A&X-Amz-Credential=C&X-Amz-Date=D&X-Amz-Expires=9&X-Amz-SignedHeaders=h"
    "&X-Amz-Signature=c4n4ryAmazon1&X-Amz-Security-Token=c4n4ryAmazon2",
    "gcs": "X-Goog-Algorithm=A&X-Goog-Credential=C&X-Goog-Date=D&X-Goog-Expires=9&X-Goog-SignedHeaders=h"
    "&X-Goog-Signature=c4n4ryGoogle1",
    "cloudfront": "Expires=9&Signature=c4n4ryFront01&Key-Pair-Id=K",
}
TOKEN = "eyJhbGciOiJSUzI1NiJ9.eyJjNG40cnkiOjF9.c4n4ryToken01"


@pytest.fixture
def bench(quick, environment, stack):
    """On the stack's Prefect server, with a service and an archive of its own."""
    b = quick(storage_front=True, creates_per_minute=0)
    b.overrides |= {"staging_container": f"{b.container_name}-staging", "poll_interval_seconds": 0.2}
    return b, {**environment, **b.environment()}, Path(stack.folder) / "prefect" / "prefect.db"


def echoed(secrets):
    """What a service says that shows all it got, in several spellings."""
    spelled = [secret for one in secrets for secret in (one, quote(one, safe=""), json.dumps(one), html.escape(one))]
    links = [f"https://pictures.example/p?{query}".replace("&", "\\u0026") for query in VENDORS.values()]
    hostile = [text for name, text in HOSTILE.items() if name not in ("half a surrogate pair", "1 MB")]
    return " ".join(["You sent", *spelled, *links, f"Authorization: Bearer {TOKEN}", *hostile])


def archive_of(b):
    """All blobs but the videos, with their metadata."""
    with b.container() as client:
        return {
            blob.name: json.dumps(blob.metadata) + client.download_blob(blob.name).readall().decode("latin-1")
            for blob in client.list_blobs(include=["metadata"])
            if "/video." not in blob.name
        }


def command_lines():
    """Of all processes of this machine."""
    lines = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            lines.append(path.read_bytes().decode(errors="replace"))
        except OSError:  # it has ended
            continue
    return "\n".join(lines)


def test_no_secret_is_found_anywhere_and_what_is_hostile_is_text(bench, tmp_path):
    """One run with what is healthy, refused and failed, by a service that echoes; one refused whole; one killed."""
    b, environment, database = bench
    account_key = b.connection_string.split("AccountKey=")[1].split(";")[0]
    secrets = [b.emulator.key, account_key, b.connection_string]
    said = echoed(secrets)
    pictures = {
        f"{kind}-{name}": f"https://pictures.example/{kind}.png?{query}"
        for name, query in VENDORS.items()
        for kind in ("failing", "refused")
    }
    scripts = [script(name, background_image=link) for name, link in pictures.items()]
    write_manifest(tmp_path, [script("healthy-1"), script("healthy-2"), *scripts])
    b.emulator.set_faults(
        (
            FaultRule(
                operation="list", at_most=1, skip_first=1, action=Status(status=503, message=said, code="Echoed")
            ),
            FaultRule(
                operation="create", job_id="^refused", action=Status(status=400, message=said, code="BadRequest")
            ),
            FaultRule(operation="create", job_id="^failing", action=FailJob(code="InvalidRequest", message=said)),
            FaultRule(operation="any", action=Change(members={"internalId": said})),
        )
    )
    sinks = {}

    options = ("scripts.jsonl", "--engine", "prefect", "--pack", "2")
    done = run_python("-c", LOUD, "render", *options, folder=tmp_path, environment=environment)
    assert done.returncode == 1, done.stderr[-3000:]
    assert (
        "2 archived (2 of them doubtful), 0 archived before, 8 failed" in done.stdout
    )  # the summary names another job
    sinks |= {"stdout": done.stdout, "stderr": done.stderr}

    b.emulator.set_faults((FaultRule(operation="any", action=Status(status=401, message=said, code="Echoed")),))
    for command in (("jobs", "list"), ("render", "scripts.jsonl", "--engine", "local", "--retry-failed")):
        done = run_python("-c", LOUD, *command, folder=tmp_path, environment=environment)
        assert done.returncode == 3, done.stderr[-3000:]
        assert "access refused" in done.stderr or "access:" in done.stdout
        sinks[f"refused {command[0]}"] = done.stdout + done.stderr

    b.emulator.set_faults((FaultRule(operation="create", action=StickJob()),))
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    last = [script("stuck", background_image=pictures["failing-azure"])]
    write_manifest(temporary, last)
    own = environment | {"TMPDIR": str(temporary)}
    process = start_python(
        *CLI, "render", temporary / "scripts.jsonl", "--engine", "local", folder=tmp_path, environment=own
    )
    try:
        assert until(lambda: any(name.startswith("stuck") for name in b.accepted()))
        sinks["process list"] = command_lines()
    finally:
        process.kill()
        sinks["killed"] = "".join(process.communicate())
    sinks |= {
        f"left in {path.name}": path.read_text(errors="replace")
        for path in temporary.rglob("*")
        if path.is_file() and path.name != "scripts.jsonl"
    }

    sinks |= archive_of(b)
    sinks["debug.log"] = (tmp_path / "debug.log").read_text()
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as opened:
        sinks["Prefect's database"] = "\n".join(opened.iterdump())

    assert "urllib3" in sinks["debug.log"]
    assert "failing-azure" in sinks["Prefect's database"]
    canaries = [*secrets[:2], TOKEN, *re.findall(r"c4n4ry\w+", " ".join([*VENDORS.values(), TOKEN]))]
    canaries += [quote(account_key, safe=""), account_key.replace("/", "\\/")]
    hits = [(sink, canary) for sink, text in sinks.items() for canary in canaries if canary in text]
    assert hits == []
    unknown = r"(?i)(?:[?&;]|%26|u0026)(?:sig|signature|x-amz-signature)(?:=|%3d)(?!REDACTED)[^\s\"'&]{8}"
    mine = {sink: text for sink, text in sinks.items() if sink != "Prefect's database"}
    assert [(sink, found[0]) for sink, text in mine.items() if (found := re.search(unknown, text))] == []
    for sink in ("stdout", "stderr", "refused jobs", "refused render", "killed"):
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e\u2028]", sinks[sink]), sink
    assert len(sinks["debug.log"]) < 20_000_000
