"""The baseline *task-run-per-poll*: `usual_way.py FIGURES.json MANIFEST SCALE`, as a child process.

It is what people write from Prefect's tutorial: one task creates the job; another task, which fetches the video, fails
until the job has ended, so that its retries do the polling. Ids are random, nothing is claimed, verified or deleted,
and a run that dies pays again. All of this is missing on purpose, because our own way is compared with it.
"""

from __future__ import annotations

import json
import os
import sys
import uuid
from pathlib import Path
from typing import Any

import requests
from azure.storage.blob import BlobClient, ContainerClient
from prefect import flow, task

from benchmarks.real.command import count_prefect_requests, own_figures

POLL_SECONDS = 5.0  # as in the service's own sample
RETRIES = 10_000  # so many that only the end of the job ends the polling
CREATE_RETRIES = 10
CREATE_DELAY_SECONDS = 30.0
URL = "{BATCH_AVATAR_ENDPOINT}/avatar/batchsyntheses/{{}}?api-version=2024-08-01".format(**os.environ)
HEADERS = {"Ocp-Apim-Subscription-Key": os.environ["BATCH_AVATAR_SPEECH_KEY"]}
STORAGE = os.environ["BATCH_AVATAR_STORAGE_CONNECTION_STRING"]
CONTAINER = os.environ["BATCH_AVATAR_CONTAINER"]
SCALE = float(sys.argv[3])


class NotReady(Exception):
    """The job has not ended yet."""


@task(retries=CREATE_RETRIES, retry_delay_seconds=CREATE_DELAY_SECONDS / SCALE)
def create_job(script: dict[str, Any]) -> str:
    """Create a job and return its id."""
    job_id = str(uuid.uuid4())
    body = {
        "inputKind": "PlainText",
        "inputs": [{"content": script["content"]}],
        "synthesisConfig": {"voice": script["voice"]},
        "avatarConfig": {
            "talkingAvatarCharacter": script["talking_avatar_character"],
            "talkingAvatarStyle": script["talking_avatar_style"],
            "videoFormat": "mp4",
            "videoCodec": "h264",
        },
    }
    requests.put(URL.format(job_id), json=body, headers=HEADERS, timeout=30).raise_for_status()
    return job_id


@task(retries=RETRIES, retry_delay_seconds=POLL_SECONDS / SCALE)
def fetch_video(job_id: str) -> None:
    """Copy the video; fail as long as the job has not ended."""
    answer = requests.get(URL.format(job_id), headers=HEADERS, timeout=30)
    answer.raise_for_status()
    job = answer.json()
    if job["status"] == "Failed":
        raise RuntimeError(f"{job_id} failed")
    if job["status"] != "Succeeded":
        raise NotReady(job_id)
    with (
        requests.get(job["outputs"]["result"], stream=True, timeout=30) as video,
        BlobClient.from_connection_string(STORAGE, CONTAINER, f"{job_id}.mp4") as blob,
    ):
        video.raise_for_status()
        blob.upload_blob(video.raw)


@flow
def render(scripts: list[dict[str, Any]]) -> None:
    """Create all jobs and fetch all videos."""
    fetch_video.map(create_job.map(scripts).result()).result()


def main() -> None:
    figures, manifest, _ = sys.argv[1:]
    lines = Path(manifest).read_text(encoding="utf-8").splitlines()
    with ContainerClient.from_connection_string(STORAGE, CONTAINER) as container:
        container.create_container()
    asked = count_prefect_requests()
    before = own_figures()
    render([json.loads(line) for line in lines])
    after = own_figures()
    said = {
        "cpu_seconds": after["cpu_seconds"] - before["cpu_seconds"],
        "peak_bytes": after["peak_bytes"],
        "prefect_requests": asked.count,
    }
    Path(figures).write_text(json.dumps(said), encoding="utf-8")


if __name__ == "__main__":
    main()
