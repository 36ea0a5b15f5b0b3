"""Starting and stopping: the server, the clock, Azurite, the command."""

import ast
import contextlib
import gc
import os
import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests
from azure.storage.blob import BlobServiceClient

import batch_avatar.emulator
from batch_avatar.emulator.clock import ServiceClock, format_http_date, format_time
from batch_avatar.emulator.options import EmulatorOptions
from batch_avatar.emulator.ports import free_port
from batch_avatar.emulator.storage.azurite import GRACE_SECONDS, Azurite
from batch_avatar.emulator.web.server import EmulatorServer
from tests.support.waiting import ANSWER_SECONDS, until

FOLDER = Path(batch_avatar.emulator.__file__).parent


def test_the_emulator_imports_nothing_of_the_client():
    for path in FOLDER.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            for name in names:
                assert not name.startswith("prefect"), path
                assert not name.startswith("batch_avatar") or name.startswith("batch_avatar.emulator"), path


def test_every_module_is_under_300_lines():
    assert {path.name for path in FOLDER.glob("*.py") if len(path.read_text().splitlines()) >= 300} == set()


def test_stopping_leaves_no_thread_and_no_listener(azurite):
    before = set(threading.enumerate())
    with EmulatorServer(
        EmulatorOptions(storage_front=True),
        storage_connection_string=azurite.connection_string(),
        port=free_port(),  # so that nobody else listens on it afterwards
    ) as emulator:
        endpoint = emulator.endpoint
        assert requests.get(f"{endpoint}/emulator/health", timeout=ANSWER_SECONDS).json()["status"] == "ok"
    emulator.stop()
    assert set(threading.enumerate()) <= before
    with pytest.raises(requests.exceptions.ConnectionError):
        requests.get(f"{endpoint}/emulator/health", timeout=ANSWER_SECONDS)
    gc.collect()  # an open socket would warn here


def test_a_taken_port_is_told_and_leaves_nothing_open(azurite):
    with EmulatorServer(storage_connection_string=azurite.connection_string()) as emulator:
        port = int(emulator.endpoint.rsplit(":", 1)[1])
        second = EmulatorServer(storage_connection_string=azurite.connection_string(), port=port)
        with pytest.raises(OSError, match="in use"):
            second.start()
    gc.collect()


def test_two_emulators_share_a_storage_account_without_meeting(start):
    first, second = start(), start()
    first.finished()
    second.finished()
    first.delete()
    link = second.get().json()["outputs"]["result"]
    assert requests.get(link, timeout=ANSWER_SECONDS).status_code == 200


def test_a_keep_alive_connection_does_not_hold_up_the_stop(azurite):
    with requests.Session() as session:
        with EmulatorServer(storage_connection_string=azurite.connection_string(), grace_seconds=600) as emulator:
            session.get(f"{emulator.endpoint}/emulator/health", timeout=ANSWER_SECONDS)
            began = time.monotonic()
        assert time.monotonic() - began < 60


def test_a_scaled_clock_runs_faster():
    real_seconds = iter((100.0, 101.0, 103.5))
    clock = ServiceClock(scale=1_000_000, monotonic=lambda: next(real_seconds))
    first = clock.now()
    assert clock.now() - first == timedelta(seconds=2_500_000)
    assert clock.real_seconds(2_000_000) == 2


def test_a_stepped_clock_moves_only_when_told():
    clock = ServiceClock(stepped=True, start=datetime(2026, 1, 31, 23, 59, 30, tzinfo=UTC))
    assert clock.now() == clock.now()
    assert format_http_date(clock.advance(60)) == "Sun, 01 Feb 2026 00:00:30 GMT"
    with pytest.raises(ValueError, match="backwards"):
        clock.advance(-1)
    with pytest.raises(ValueError, match="scale"):
        ServiceClock(scale=0)


def test_times_are_written_with_seven_digits_or_six_without_z():
    moment = datetime(2026, 1, 1, 0, 0, 0, 123456, tzinfo=UTC)
    assert format_time(moment) == "2026-01-01T00:00:00.1234560Z"
    assert format_time(moment, zulu=False) == "2026-01-01T00:00:00.123456"
    assert format_time(moment.replace(microsecond=123457), zulu=False) == "2026-01-01T00:00:00.1234570"


def test_azurite_says_how_to_install_it(tmp_path):
    with pytest.raises(RuntimeError, match="make setup"):
        Azurite(node_modules=tmp_path).start()


def test_azurite_tells_why_it_did_not_start(azurite):
    taken = int(azurite.url.rsplit(":", 1)[1])
    with pytest.raises(RuntimeError, match="did not start"):
        Azurite(port=taken).start()


class StopsItsStarter(Azurite):
    """Whoever starts it is stopped from his first look at it until it listens."""

    def _alive(self):
        until(lambda: "successfully listens" in self.log_path.read_text())
        return super()._alive()


def test_azurite_has_started_if_it_listens_however_late_that_is_seen(tmp_path):
    with StopsItsStarter(log_path=tmp_path / "azurite.log", start_timeout_seconds=0) as azurite:
        assert azurite.url


def test_azurite_ends_with_its_block_and_has_two_separate_accounts():
    with Azurite() as azurite:
        pid = azurite.pid
        with BlobServiceClient.from_connection_string(azurite.connection_string("useraccount")) as user:
            user.create_container("only-here").close()
        with BlobServiceClient.from_connection_string(azurite.connection_string()) as service:
            assert list(service.list_containers()) == []
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    with pytest.raises(RuntimeError, match="not running"):
        _ = azurite.url


def test_a_detached_azurite_outlives_its_block_and_keeps_its_content_however_slowly_it_leaves(tmp_path):
    log = tmp_path / "log" / "azurite.log"
    port = free_port()
    with Azurite(detached=True, port=port, persist_dir=tmp_path / "data", log_path=log) as azurite:
        string = azurite.connection_string()
    with BlobServiceClient.from_connection_string(string) as client:
        client.create_container("early").close()
        # A save that is due while it leaves, every 5 s, is cut off; what it has just saved is not due.
        while '"early"' not in (tmp_path / "data" / "__azurite_db_blob__.json").read_text():
            time.sleep(0.02)
        client.create_container("kept").close()
    os.kill(azurite.pid, signal.SIGSTOP)
    slow = threading.Timer(GRACE_SECONDS + 0.5, os.kill, (azurite.pid, signal.SIGCONT))
    slow.start()
    azurite.stop()
    slow.join()
    with (
        Azurite(persist_dir=tmp_path / "data", port=port, keys=azurite.keys) as again,
        BlobServiceClient.from_connection_string(again.connection_string()) as client,
    ):
        assert again.connection_string() == string
        assert [container.name for container in client.list_containers()] == ["early", "kept"]
    assert "successfully listens" in log.read_text()


def test_the_command_says_how_to_use_it_and_ends_on_sigterm():
    command = [
        sys.executable,
        "-c",
        "from batch_avatar.emulator.command import emulator; emulator()",
        *("--media", "minimal", "--creates-per-minute", "0"),
    ]
    with (
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process,
        contextlib.ExitStack() as ends,
    ):
        ends.callback(process.kill)  # a test that fails would wait for it for ever
        told = {}
        for line in process.stdout:
            if "Ctrl-C" in line:
                break
            if line.startswith("BATCH_AVATAR_"):
                name, value = line.strip().split("=", 1)
                told[name] = value
        answer = requests.get(
            f"{told['BATCH_AVATAR_ENDPOINT']}/avatar/batchsyntheses",
            params={"api-version": "2024-08-01"},
            headers={"Ocp-Apim-Subscription-Key": told["BATCH_AVATAR_SPEECH_KEY"]},
            timeout=ANSWER_SECONDS,
        )
        assert answer.json() == {"value": []}
        assert told["BATCH_AVATAR_CREATES_PER_MINUTE"] == "0"
        assert "AccountName=useraccount" in told["BATCH_AVATAR_STORAGE_CONNECTION_STRING"]
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=ANSWER_SECONDS)
    assert out.endswith("stopped\n")
    assert err == ""
    assert process.returncode == 0
