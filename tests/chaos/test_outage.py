"""A service that is away for eight hours: nothing is lost, nothing is paid twice, nobody has to come."""

from __future__ import annotations

import secrets

import pytest

from batch_avatar.emulator.faults import FaultRule, Status
from batch_avatar.emulator.options import Progression
from batch_avatar.rendering.connect import open_run
from batch_avatar.rendering.retry import plain_chain
from batch_avatar.rendering.runner import render_scripts
from batch_avatar.settings import load_settings
from tests.chaos.arena import GA, PREVIEW
from tests.support.scripts import script
from tests.support.virtual_clock import VirtualClock, run_virtually

BEGINS, ENDS = 300, 300 + 8 * 3600  # service seconds after the start
AWAY = FaultRule(operation="any", action=Status(status=503, code="ServiceUnavailable", message="Away."))
SCRIPTS = 40


class Weather:
    """Keeps the service's clock in step, and takes the service away in the middle."""

    def __init__(self, emulator):
        self.emulator = emulator
        self.away = False
        self.accepted_before = self.asked_meanwhile = 0

    def __call__(self, seconds, now):
        self.emulator.settle()
        self.emulator.advance(seconds)
        if not self.away and BEGINS <= now < ENDS:
            self.away = True
            self.accepted_before = self.emulator.stats()["creates"]["accepted"]
            self.emulator.set_faults([AWAY])
        elif self.away and now >= ENDS:
            self.away = False
            self.asked_meanwhile = len([r for r in self.emulator.requests() if r["status"] == 503])
            self.emulator.clear_faults()


def pytest_generate_tests(metafunc):
    """Each generation takes two minutes; the long form plays both."""
    if "api_version" in metafunc.fixturenames:
        both = metafunc.config.getoption("full", default=False)
        metafunc.parametrize("api_version", [GA, PREVIEW] if both else [GA])


@pytest.mark.timeout(400)
def test_eight_hours_without_the_service_lose_nothing_and_need_no_hand(arena, row, api_version):
    a = arena(api_version=api_version, stepped_clock=True, creates_per_minute=2, progression=Progression.lognormal())
    scripts = [script(f"s{number:02d}") for number in range(SCRIPTS)]
    weather = Weather(a.emulator)
    clock = VirtualClock(a.emulator.service.clock.now())

    async def work():
        settings = load_settings(
            endpoint=a.emulator.endpoint,
            speech_key=a.emulator.key,
            api_version=api_version,
            storage_connection_string=a.connection_string,
            container=a.container_name,
        )
        async with clock.running(weather), open_run(settings, secrets.token_hex(4), clock=clock):
            return await render_scripts(scripts, plain_chain())

    report = run_virtually(work())
    assert (report.archived, report.failed, report.unfinished) == (SCRIPTS, 0, 0)
    assert 0 < weather.accepted_before < SCRIPTS, "the outage lies in the middle of the run"
    assert weather.asked_meanwhile < 1000, "an outage is waited for, not hammered at"
    assert clock.monotonic() < ENDS + 3 * 3600
    note = row(point="-", kind="8 h outage", generation=api_version)
    a.judge([one.script_id for one in scripts], note=note)
