"""A live examination of an emulator whose time passes only while the examination waits."""

from __future__ import annotations

import asyncio

import pytest
import requests

from batch_avatar.doctor.live.bodies import short
from batch_avatar.doctor.live.run import clean_up, run
from batch_avatar.emulator.options import Progression
from tests.support.waiting import ANSWER_SECONDS


class ServiceTime:
    """The emulator's clock as ours: sleeping moves it, after all that was begun is rendered."""

    def __init__(self, emulator):
        self._emulator = emulator
        self._start = emulator.service.clock.now()

    def now(self):
        return self._emulator.service.clock.now()

    def monotonic(self):
        return (self.now() - self._start).total_seconds()

    async def sleep(self, seconds):
        await asyncio.to_thread(self._emulator.settle)
        self._emulator.advance(seconds)


class Examined:
    def __init__(self, bench):
        self.bench = bench
        self.emulator = bench.emulator
        self.clock = ServiceTime(self.emulator)
        self.told = []
        self.report = None

    async def run(self, **settings):
        given = self.bench.settings(**({"creates_per_minute": 2, "poll_interval_seconds": 10} | settings))
        self.report = await run(given, given.all_resources()[0], tell=self.told.append, clock=self.clock)
        return self.report

    async def clean(self):
        given = self.bench.settings()
        return await clean_up(given, given.all_resources()[0], tell=self.told.append, clock=self.clock)

    @property
    def readings(self):
        return {answer.question: answer.reading for answer in self.report.answers}

    def why(self, question):
        return next(answer.why for answer in self.report.answers if answer.question == question)

    @property
    def left(self):
        return [job["id"] for job in self.emulator.jobs() if not job["removed"]]


@pytest.fixture
def examined(bench):
    """`examined(**options)`: an emulator with these switches, otherwise as it is by default, and a doctor before it."""

    def start(**options):
        usual = {
            "creates_per_minute": 2,
            "stepped_clock": True,
            "storage_front": True,
            "progression": Progression.after_seconds(),
            "list_lag_seconds": 2.0,
        }
        return Examined(bench(**(usual | options)))

    return start


@pytest.fixture
def make_job():
    """`make_job(emulator, job_id)`: a job of somebody."""

    def make(emulator, job_id):
        answer = requests.put(
            f"{emulator.endpoint}/avatar/batchsyntheses/{job_id}",
            params={"api-version": "2024-08-01"},
            headers={"Ocp-Apim-Subscription-Key": emulator.key},
            json=short(24),
            timeout=ANSWER_SECONDS,
        )
        assert answer.status_code == 201, answer.text

    return make
