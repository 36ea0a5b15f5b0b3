"""Render a manifest with the real core in a process that can be stopped at one named point, and killed there.

    python tests/chaos/worker.py --point after-claim scripts.jsonl
    python tests/chaos/worker.py --point between-receipts --pack 4 scripts.jsonl

Settings come from the environment. The first time that any script reaches the point, the worker prints
`reached <point>`, and this script's thread goes no further until a line arrives on stdin; the other scripts flow on.
At the points that stand between the members of a pack all the later members stop, and so does everyone
where packs are given up or deleted.
The last line on stdout is the report as JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import sys
import threading
from collections import Counter
from contextlib import contextmanager
from dataclasses import replace
from pathlib import PurePosixPath
from urllib.parse import urlsplit

from batch_avatar.clock import SystemClock
from batch_avatar.errors import JobNotFound
from batch_avatar.rendering.connect import open_connections
from batch_avatar.rendering.connections import sharing
from batch_avatar.rendering.retry import plain_chain
from batch_avatar.rendering.run import begin_run, new_run_name
from batch_avatar.rendering.runner import render_scripts
from batch_avatar.scripts.manifest import read_scripts
from batch_avatar.service.wire.generations import wire_for
from batch_avatar.settings import load_settings

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
AGES = ("after-claim", "before-create", "after-get-404")
"""Where whoever is held has a claim and no job: the others wait until it is old."""
PACK_POINTS = (
    "between-claims",
    "after-pack-record",
    "between-answers",
    "between-receipts",
)
"""Those that only packs have, in the same order."""
GIVE_UP_POINTS = ("after-give-up", "after-all-give-up", "after-deleting-given-up")
"""Where a pack, or a member of it, is given up: its claim says so; all of its members' claims do; its job is deleted,
which the claim does not say."""
FIRST_MEMBERS = 2  # whose claims are written before the others are held
ABANDONED = 70  # exit code where stdin ends: whoever held this process is gone


class Barrier:
    """Stops whoever comes by first."""

    def __init__(self, point: str) -> None:
        self._point = point
        self._first = threading.Lock()
        self._open = threading.Event()

    def reached(self, point: str) -> None:
        """Blocks the calling thread."""
        if point != self._point or not self._first.acquire(blocking=False):
            return
        sys.stdout.write(f"reached {point}\n")
        sys.stdout.flush()
        self._wait()

    def hold(self, point: str) -> None:
        """Blocks every thread that comes by, until the first of them may go on."""
        if point != self._point:
            return
        if self._first.acquire(blocking=False):
            sys.stdout.write(f"reached {point}\n")
            sys.stdout.flush()
            self._wait()
            self._open.set()
        self._open.wait()

    @staticmethod
    def _wait() -> None:
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
    def __init__(self, inner, barrier: Barrier) -> None:
        super().__init__(inner, barrier)
        self._claimed = Counter()
        self._members_left = Counter()
        self._more = threading.Condition()
        self._answered = _Once()
        self._received = _Once()

    def index(self, *args):
        index = self._inner.index(*args)
        self._barrier.reached("after-plan")
        return index

    def create_claim(self, claim):
        if claim.last.input > FIRST_MEMBERS:
            with self._more:
                self._more.wait_for(lambda: self._claimed[claim.last.job_id] >= FIRST_MEMBERS)
            self._barrier.hold("between-claims")
        held = self._inner.create_claim(claim)
        with self._more:
            self._claimed[claim.last.job_id] += 1
            self._more.notify_all()
        if held is not None:
            self._barrier.reached("after-claim")
        return held

    def write_pack(self, pack):
        self._inner.write_pack(pack)
        self._members_left[pack.job_id] = len(pack.members)
        self._barrier.reached("after-pack-record")

    def replace_claim(self, held, claim):
        before, after = held.claim.last, claim.last
        answered = after.accepted_at is not None and before.accepted_at is None
        if answered:
            self._barrier.reached("after-answer")
        if answered and after.input and not self._answered.mine():
            self._answered.done.wait()
            self._barrier.hold("between-answers")
        if after.over and after.input and not before.over:
            self._barrier.hold("after-deleting-given-up")
        written = self._inner.replace_claim(held, claim)
        if answered:
            self._answered.done.set()
        if after.ended and after.input and not before.ended:
            self._barrier.hold("after-give-up")
            with self._more:
                self._members_left[after.job_id] -= 1
            if not self._members_left[after.job_id]:
                self._barrier.reached("after-all-give-up")
        return written

    def output_blob(self, ref, name):
        if name.startswith("summary"):
            self._barrier.reached("after-video-before-summary")
        return _HeldBlob(self._inner.output_blob(ref, name), self._barrier)

    def write_receipt(self, receipt):
        self._barrier.reached("before-receipt")
        if receipt.input and not self._received.mine():
            self._received.done.wait()
            self._barrier.hold("between-receipts")
        written = self._inner.write_receipt(receipt)
        self._received.done.set()
        return written


class _Once:
    """Whoever comes first, and whether it has done what it came for."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.done = threading.Event()

    def mine(self) -> bool:
        return self._lock.acquire(blocking=False)


class _HeldBlob(_Around):
    def upload_blob(self, *args, **kwargs):
        """What fits into one block is committed by the one request that writes it."""
        self._barrier.reached("before-commit")
        return self._inner.upload_blob(*args, **kwargs)

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


async def render(point: str, manifest: str, pack: int):
    """The report of a run with the barrier in its seams."""
    settings = load_settings()
    scripts = read_scripts([manifest], defaults=settings.video_defaults(), wire=wire_for(settings.api_version))
    barrier = Barrier(point)
    async with open_connections(settings) as opened:
        c = replace(opened, archive=HeldArchive(opened.archive, barrier))
        for resource in c.resources.values():
            resource.client = HeldClient(resource.client, barrier)
            resource.watcher = HeldWatcher(resource.watcher, barrier, c.control)
        with sharing(c), begin_run(c, new_run_name(SystemClock())):
            return await render_scripts(scripts, plain_chain(), pack=pack)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--point", choices=(*POINTS, *PACK_POINTS, *GIVE_UP_POINTS), required=True)
    parser.add_argument("--pack", type=int, default=1)
    parser.add_argument("manifest")
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, stream=sys.stderr)
    for noisy in ("azure", "urllib3"):
        logging.getLogger(noisy).setLevel(logging.ERROR)
    report = asyncio.run(render(given.point, given.manifest, given.pack))
    sys.stdout.write(report.model_dump_json(by_alias=True) + "\n")


if __name__ == "__main__":
    main()
