"""Render a manifest with the real core in a process that can be stopped at one named point, and killed there.

    python tests/chaos/worker.py --point after-claim scripts.jsonl

Settings come from the environment. The first time that any script reaches the point, the worker prints
`reached <point>`, and this script's thread goes no further until a line arrives on stdin; the other scripts flow on.
The last line on stdout is the report as JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import sys
import threading
from contextlib import contextmanager
from pathlib import PurePosixPath
from urllib.parse import urlsplit

from batch_avatar.clock import SystemClock
from batch_avatar.connect import new_run_name, open_connections
from batch_avatar.errors import JobNotFound
from batch_avatar.manifest import read_scripts
from batch_avatar.retry import plain_chain
from batch_avatar.runner import render_scripts
from batch_avatar.settings import load_settings
from batch_avatar.wire import wire_for

POINTS = (
    "after-plan",
    "after-claim",
    "before-create",
    "after-create-before-answer",
    "after-answer",
    "after-get-404",
    "during-wait",
    "during-download",
    "before-commit",
    "after-video-before-summary",
    "before-receipt",
    "between-receipt-and-delete",
    "after-delete",
)
"""In the order in which a script comes by; `after-get-404` needs a create that failed, so that the core looks."""
ABANDONED = 70  # exit code where stdin ends: whoever held this process is gone


class Barrier:
    """Stops whoever comes by first."""

    def __init__(self, point: str) -> None:
        self._point = point
        self._first = threading.Lock()

    def reached(self, point: str) -> None:
        """Blocks the calling thread."""
        if point != self._point or not self._first.acquire(blocking=False):
            return
        sys.stdout.write(f"reached {point}\n")
        sys.stdout.flush()
        if not sys.stdin.readline():
            os._exit(ABANDONED)


class _Around:
    """Everything as the inner one does it, but for the methods of the subclass."""

    def __init__(self, inner, barrier: Barrier) -> None:
        self._inner = inner
        self._barrier = barrier

    def __getattr__(self, name):
        return getattr(self._inner, name)


class HeldClient(_Around):
    def create(self, *args, **kwargs):
        self._barrier.reached("before-create")
        job = self._inner.create(*args, **kwargs)
        self._barrier.reached("after-create-before-answer")
        return job

    def get(self, *args):
        try:
            return self._inner.get(*args)
        except JobNotFound:
            self._barrier.reached("after-get-404")
            raise

    def look(self, *args):
        job = self._inner.look(*args)
        if job is None:
            self._barrier.reached("after-get-404")
        return job

    def delete(self, *args):
        self._barrier.reached("between-receipt-and-delete")
        self._inner.delete(*args)
        self._barrier.reached("after-delete")

    @contextmanager
    def open_output(self, sas_url, **kwargs):
        with self._inner.open_output(sas_url, **kwargs) as response:
            if PurePosixPath(urlsplit(sas_url).path).suffix in (".mp4", ".webm"):
                response.raw = _HeldBody(response.raw, self._barrier)
            yield response


class _HeldBody(_Around):
    def read1(self, size):
        piece = self._inner.read1(size)
        self._barrier.reached("during-download")
        return piece


class HeldArchive(_Around):
    def index(self, *args):
        index = self._inner.index(*args)
        self._barrier.reached("after-plan")
        return index

    def create_claim(self, claim):
        held = self._inner.create_claim(claim)
        if held is not None:
            self._barrier.reached("after-claim")
        return held

    def replace_claim(self, held, claim):
        if claim.last.accepted_at is not None and held.claim.last.accepted_at is None:
            self._barrier.reached("after-answer")
        return self._inner.replace_claim(held, claim)

    def output_blob(self, ref, name):
        if name.startswith("summary"):
            self._barrier.reached("after-video-before-summary")
        return _HeldBlob(self._inner.output_blob(ref, name), self._barrier)

    def write_receipt(self, receipt):
        self._barrier.reached("before-receipt")
        return self._inner.write_receipt(receipt)


class _HeldBlob(_Around):
    def commit_block_list(self, *args, **kwargs):
        self._barrier.reached("before-commit")
        return self._inner.commit_block_list(*args, **kwargs)


class HeldWatcher(_Around):
    def __init__(self, inner, barrier: Barrier, control) -> None:
        super().__init__(inner, barrier)
        self._control = control

    async def wait(self, *args, **kwargs):
        await self._control(self._barrier.reached, "during-wait")
        return await self._inner.wait(*args, **kwargs)


async def render(point: str, manifest: str):
    """The report of a run with the barrier in its seams."""
    settings = load_settings()
    scripts = read_scripts([manifest], defaults=settings.video_defaults(), wire=wire_for(settings.api_version))
    barrier = Barrier(point)
    async with open_connections(settings, run=new_run_name(SystemClock())) as c:
        c.client = HeldClient(c.client, barrier)
        c.archive = HeldArchive(c.archive, barrier)
        c.watcher = HeldWatcher(c.watcher, barrier, c.control)
        return await render_scripts(scripts, plain_chain())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--point", choices=POINTS, required=True)
    parser.add_argument("manifest")
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, stream=sys.stderr)
    for noisy in ("azure", "urllib3"):
        logging.getLogger(noisy).setLevel(logging.ERROR)
    report = asyncio.run(render(given.point, given.manifest))
    sys.stdout.write(report.model_dump_json(by_alias=True) + "\n")


if __name__ == "__main__":
    main()
