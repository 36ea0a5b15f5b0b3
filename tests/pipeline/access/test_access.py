"""Access that goes, comes back, or was never there: what a run says, and that it pays for no script twice."""

from __future__ import annotations

import json

import pytest

from batch_avatar.clock import SystemClock
from batch_avatar.emulator.faults import FaultRule, Status
from batch_avatar.errors import AccessRefused, ArchiveRefused
from batch_avatar.rendering.progress import Phase
from tests.support.answering_road import AnsweringRoad
from tests.support.road import Road, Traveller
from tests.support.scripts import script
from tests.support.sign_in.identity_endpoint import AWAY, IdentityEndpoint

SCRIPTS = [script(f"s-{number}") for number in range(6)]
GATEWAY = {"error": {"code": "401", "message": "Access denied due to invalid subscription key or wrong API endpoint."}}
TOO_OLD = "Request date header too old: 'Mon, 30 Nov 2026 10:00:00 GMT'"


class FastClock(SystemClock):
    """Waits and outages take a 150th of their time; the time of day is right, as tokens and jobs have it."""

    FACTOR = 150

    def monotonic(self):
        return super().monotonic() * self.FACTOR

    async def sleep(self, seconds):
        await super().sleep(seconds / self.FACTOR)


class Once:
    """Does something when a run tells of the first job that it created."""

    def __init__(self, act):
        self._act, self.acted = act, False

    def append(self, event):
        if event.phase is Phase.CREATED and not self.acted:
            self.acted = True
            self._act()


class Keyed(Traveller):
    """Checks the key as the gateway does, and goes on with the emulator's own."""

    def travel(self):
        given = self.headers["Ocp-Apim-Subscription-Key"]
        self.server.given.append(given)
        if given != self.server.key:
            self.answer(401, [("Content-Type", "application/json")], json.dumps(GATEWAY).encode())
            return
        self.headers.replace_header("Ocp-Apim-Subscription-Key", self.server.emulator_key)
        super().travel()


def judged(b, report):
    """All are archived, and each was created once: creates per script are 1.000."""
    assert [outcome.error for outcome in report.outcomes if outcome.error] == []
    assert report.all_archived
    assert len(b.receipts()) == len(SCRIPTS)
    assert list(b.accepted().values()) == [1] * len(SCRIPTS)


def test_an_identity_that_is_away_for_a_minute_in_mid_run_is_waited_for(bench, monkeypatch, caplog):
    """The token that the run has is revoked meanwhile, so that nothing goes on without a new one."""
    b = bench(bearer_token="identity-token")
    with IdentityEndpoint() as identity:
        identity.use(monkeypatch)
        asked = 26  # twice each time, and not again for five seconds: a minute and more

        def leave():
            identity.instead = [AWAY] * asked
            b.emulator.set_faults([FaultRule(operation="list", at_most=1, action=Status(status=401, code="401"))])

        gone = Once(leave)
        report = b.render(SCRIPTS, events=gone, clock=FastClock(), speech_key=None, poll_interval_seconds=2)

        assert gone.acted
        assert identity.instead == []
    judged(b, report)
    assert "the job list cannot be read, will ask again in" in caplog.text
    assert "Microsoft Entra does not answer" in caplog.text
    assert "the job list can be read again after" in caplog.text
    assert "identity-token" not in caplog.text


def test_a_key_that_is_rotated_in_mid_run_is_read_from_its_file(bench, tmp_path, caplog):
    b = bench()
    file = tmp_path / "speech_key"
    file.write_text("first-speech-key\n")
    with Road(b.emulator.endpoint, Keyed) as road:
        road.key, road.emulator_key, road.given = "first-speech-key", b.emulator.key, []

        def rotate():
            file.write_text("second-speech-key\n")
            road.key = "second-speech-key"

        rotated = Once(rotate)
        report = b.render(SCRIPTS, events=rotated, endpoint=road.url, speech_key=None, speech_key_file=file)

    assert rotated.acted
    judged(b, report)
    assert set(road.given) == {"first-speech-key", "second-speech-key"}
    assert caplog.text.count("its file has another one") == 1
    assert "speech-key" not in caplog.text


@pytest.mark.parametrize("status", [400, 401])
def test_a_token_of_another_tenant_is_refused_at_once_with_what_to_do(bench, monkeypatch, status):
    said = "Token tenant 33e01921 does not match resource tenant."
    b = bench(
        bearer_token="identity-token",
        faults=(FaultRule(operation="list", action=Status(status=status, code="401", message=said)),),
    )
    with IdentityEndpoint() as identity:
        identity.use(monkeypatch)
        with pytest.raises(AccessRefused) as caught:
            b.render(SCRIPTS, speech_key=None)

    assert f"{said}; sign in to the tenant of this resource: set AZURE_TENANT_ID, or run" in str(caught.value)
    assert b.accepted() == {}


def test_a_clock_that_is_off_is_told_by_the_storages_own_words(bench):
    b = bench()
    error = (
        "<Error><Code>AuthenticationFailed</Code><Message>Server failed to authenticate the request.\nTime:x</Message>"
        f"<AuthenticationErrorDetail>{TOO_OLD}</AuthenticationErrorDetail></Error>"
    )
    with AnsweringRoad(b.connection_string.partition("BlobEndpoint=")[2].partition(";")[0]) as road:
        headers = {"x-ms-error-code": "AuthenticationFailed", "Content-Type": "application/xml"}
        road.say(lambda method, _: method != "HEAD", 403, error.encode(), headers)
        with pytest.raises(ArchiveRefused) as caught:
            b.render(SCRIPTS, storage_connection_string=road.connection_string(b.connection_string))

    assert f"{TOO_OLD}; set this machine's clock" in str(caught.value)
    assert b.accepted() == {}
