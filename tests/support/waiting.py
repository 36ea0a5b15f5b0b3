"""Wait for what other processes do."""

from __future__ import annotations

import asyncio
import time

import requests

PATIENCE_SECONDS = 200
"""For what takes its time: a run pauses for 75 s when five of its creates in a row had no answer, and goes on."""
ANSWER_SECONDS = 120
"""For what comes at once, unless a busy machine stops; less than a test has."""


def until(look, wanted=True, *, seconds=PATIENCE_SECONDS):
    """Ask again until the answer is the wanted one; the last answer."""
    give_up = time.monotonic() + seconds
    while (seen := look()) != wanted and time.monotonic() < give_up:
        time.sleep(0.5)
    return seen


async def happened(look):
    """Let the others work until then."""
    while not await asyncio.to_thread(look):  # noqa: ASYNC110 - there is nothing to be told by
        await asyncio.sleep(0.02)


def answered(method, url, *, seconds=PATIENCE_SECONDS, **options):
    """The answer to a request, sent again while nobody answers, or only an error of the server's own."""
    give_up = time.monotonic() + seconds
    while True:
        last = time.monotonic() >= give_up
        try:
            answer = requests.request(method, url, timeout=ANSWER_SECONDS, **options)
        except (requests.ConnectionError, requests.Timeout):
            if last:
                raise
        else:
            if last or answer.status_code < requests.codes.server_error:
                answer.raise_for_status()
                return answer
        time.sleep(1)
