"""What a stack believes of its own files: it ends and deletes what it made, whatever somebody wrote there since."""

import json
import os
import stat
import subprocess
import sys
import tempfile
from pathlib import Path
from shutil import copytree, rmtree

import pytest

from batch_avatar.commands.stack import Starting, known_stack, running_stack
from batch_avatar.commands.terminal.own_files import MARKER, write_private
from batch_avatar.emulator.process import is_running, stop_process
from batch_avatar.errors import BatchAvatarError

SLEEP = [sys.executable, "-c", "import time; time.sleep(600)"]
ENVIRONMENT = {
    "BATCH_AVATAR_STORAGE_CONNECTION_STRING": "BlobEndpoint=http://127.0.0.1:1/account;",
    "BATCH_AVATAR_ENDPOINT": "http://127.0.0.1:2",
    "PREFECT_API_URL": "http://127.0.0.1:3/api",
}


def start(folder):
    """A stack of one process, called emulator-1, with one folder elsewhere."""
    with Starting(folder) as starting:
        starting.run("emulator-1", SLEEP, {})
        (starting.make_scratch("postgres") / "data").write_text("rows")
        return starting.finish(ENVIRONMENT, time_scale=1)


@pytest.fixture
def running(tmp_path):
    stack = start(tmp_path / "stack")
    yield stack
    for process in stack.processes.values():
        if is_running(process.pid):
            stop_process(process.pid)
    for path in stack.scratch:
        rmtree(path, ignore_errors=True)


@pytest.fixture
def tampered(running):
    """`tampered(**members)` writes them into the stack's file, as whoever may write it could, and reads it again."""

    def write(**members):
        path = running.folder / "stack.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | members))
        return known_stack(running.folder)

    return write


@pytest.fixture
def victim():
    """A process of somebody else's that has our word in its command line."""
    with subprocess.Popen([*SLEEP, "emulator"]) as process:
        yield process
        process.kill()


@pytest.fixture
def temporary():
    """`temporary()`: a new folder where scratch folders are made."""
    made = []

    def make():
        made.append(Path(tempfile.mkdtemp(prefix="batch-avatar-postgres-")))
        (made[-1] / "precious").touch()
        return made[-1]

    yield make
    for path in made:
        rmtree(path, ignore_errors=True)


def test_a_stack_that_is_stopped_leaves_nothing(running):
    again = running_stack(running.folder)
    assert again == running
    assert again.stop() == []
    assert not any(is_running(process.pid) for process in running.processes.values())
    assert not any(path.exists() for path in running.scratch)
    assert known_stack(running.folder) is None


def test_a_folder_that_the_stack_did_not_make_is_left(tampered, running, tmp_path, temporary):
    (own,) = running.scratch
    another = start(tmp_path / "another")
    unmarked, elsewhere, link = temporary(), tmp_path / "home", temporary()
    copytree(own, elsewhere)
    rmtree(link)
    link.symlink_to(elsewhere, target_is_directory=True)
    foreign = [unmarked, elsewhere, *another.scratch, link]
    nowhere = tmp_path / "nowhere"
    try:
        told = tampered(scratch=[str(path) for path in (*foreign, nowhere, own)]).stop()
        assert [path for path in foreign if not path.exists()] == []
        assert (unmarked / "precious").exists()
        assert not own.exists()
        assert told == [f"{path} is left alone: this stack did not make it" for path in (*foreign, nowhere)]
    finally:
        link.unlink()
        assert another.stop() == []


def test_a_process_that_the_stack_did_not_start_is_left(tampered, victim):
    told = tampered(processes={"emulator-1": {"pid": victim.pid, "started": "1"}}).stop()
    assert victim.poll() is None
    assert told == [f"process {victim.pid} is left alone: it is not the emulator-1 that this stack started"]


@pytest.mark.parametrize("processes", [{}, *({"x": {"pid": pid, "started": "1"}} for pid in (0, -1))])
def test_what_no_stack_wrote_is_no_stack(tampered, processes):
    assert tampered(processes=processes) is None


def test_the_files_of_another_folder_are_left(tampered, running, tmp_path):
    another = start(tmp_path / "another")
    tampered(folder=str(another.folder)).stop()
    try:
        assert known_stack(another.folder) == another
        assert known_stack(running.folder) is None
    finally:
        another.stop()


@pytest.fixture
def of_an_earlier_version(running):
    """`of_an_earlier_version(**pids)` writes the stack's file as before start times were in it, and reads it again."""

    def write(**pids):
        path = running.folder / "stack.json"
        path.write_text(
            json.dumps(json.loads(path.read_text()) | {"processes": {k.replace("_", "-"): v for k, v in pids.items()}})
        )
        return known_stack(running.folder)

    return write


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="nothing proves whose a process is")
def test_a_stack_of_an_earlier_version_is_ended(of_an_earlier_version, running):
    [process] = running.processes.values()

    assert of_an_earlier_version(emulator_1=process.pid).stop() == []
    assert not is_running(process.pid)
    assert known_stack(running.folder) is None


def test_of_a_stack_of_an_earlier_version_a_process_that_may_be_another_is_left(
    of_an_earlier_version, running, victim, tmp_path
):
    [process] = running.processes.values()
    another = start(tmp_path / "another")
    [alike] = another.processes.values()
    try:
        told = of_an_earlier_version(emulator_1=victim.pid, emulator_2=alike.pid, emulator_3=process.pid).stop()
        assert victim.poll() is None
        assert is_running(alike.pid)
        assert is_running(process.pid), "it writes the log of emulator-1"
        assert told == [
            f"process {pid} is left alone: it is not the {name} that this stack started"
            for name, pid in (("emulator-3", process.pid), ("emulator-2", alike.pid), ("emulator-1", victim.pid))
        ]
    finally:
        another.stop()


def test_a_file_that_others_may_write_is_not_believed(running):
    (running.folder / "stack.json").chmod(0o620)
    with pytest.raises(BatchAvatarError, match=r"stack.json: others may write it, so it is not believed"):
        known_stack(running.folder)


def test_a_file_that_lies_elsewhere_is_not_believed(running, tmp_path):
    moved = (running.folder / "stack.json").rename(tmp_path / "mine.json")
    (running.folder / "stack.json").symlink_to(moved)
    with pytest.raises(BatchAvatarError, match=r"stack.json: it is a link, so it is not believed"):
        known_stack(running.folder)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_file_of_another_user_is_not_believed(running):
    os.chown(running.folder / "stack.json", 12345, -1)
    with pytest.raises(BatchAvatarError, match=r"stack.json: it belongs to another user, so it is not believed"):
        known_stack(running.folder)


def test_others_can_read_nothing_of_a_stack(tmp_path):
    folder = tmp_path / "stack"
    before = os.umask(0)
    try:
        running = start(folder)
    finally:
        os.umask(before)
    try:
        found = [folder, *folder.iterdir(), *running.scratch]
        assert {path.name for path in found} >= {"stack.json", "stack.env", "emulator-1.log"}
        assert [path for path in found if stat.S_IMODE(path.stat().st_mode) & 0o077] == []
    finally:
        running.stop()


def test_others_can_read_nothing_of_a_stack_in_a_folder_that_was_there_before(tmp_path):
    folder = tmp_path / "stack"
    (folder / "prefect").mkdir(parents=True)
    (folder / "emulator-1.log").write_text("of an earlier version")
    (folder / "mine.txt").write_text("mine")
    for path, mode in ((folder, 0o755), (folder / "prefect", 0o755), (folder / "emulator-1.log", 0o644)):
        path.chmod(mode)
    (folder / "mine.txt").chmod(0o644)
    with Starting(folder) as starting:
        starting.run("emulator-1", SLEEP, {})
        home = starting.prefect_home()
        running = starting.finish(ENVIRONMENT, time_scale=1)
    try:
        assert home == str(folder / "prefect")
        found = [path for path in folder.iterdir() if path.name != "mine.txt"]
        assert {path.name for path in found} == {"prefect", "stack.json", "stack.env", "emulator-1.log"}
        assert [path for path in found if stat.S_IMODE(path.stat().st_mode) & 0o077] == []
        assert stat.S_IMODE((folder / "mine.txt").stat().st_mode) == 0o644, "it is not of the stack"
        assert stat.S_IMODE(folder.stat().st_mode) == 0o755, "other things may lie there"
    finally:
        running.stop()


@pytest.mark.parametrize("name", ["emulator-1.log", "prefect"])
def test_what_the_processes_write_does_not_end_up_where_a_link_points(tmp_path, name):
    folder, elsewhere = tmp_path / "stack", tmp_path / "elsewhere"
    folder.mkdir()
    elsewhere.mkdir() if name == "prefect" else elsewhere.write_text("mine")
    (folder / name).symlink_to(elsewhere)
    with Starting(folder) as starting:
        starting.run("emulator-1", SLEEP, {})
        if name == "prefect":
            with pytest.raises(BatchAvatarError, match="prefect: it is a link, so it is not believed"):
                starting.prefect_home()
        assert elsewhere.is_dir() or elsewhere.read_text() == "mine"


def test_a_stack_s_own_folder_is_deleted_also_where_temporary_files_lie_elsewhere_by_now(
    running, tmp_path, monkeypatch
):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    assert known_stack(running.folder).stop() == []
    assert not any(path.exists() for path in running.scratch)


def test_a_stack_s_own_folder_of_an_earlier_version_is_deleted(running):
    [folder] = running.scratch
    write_private(folder / MARKER, str(running.folder))

    assert running.stop() == []
    assert not folder.exists()


def test_a_file_with_keys_does_not_end_up_where_a_link_points(tmp_path):
    folder, elsewhere = tmp_path / "stack", tmp_path / "elsewhere"
    folder.mkdir()
    elsewhere.write_text("mine")
    (folder / "stack.env").symlink_to(elsewhere)
    start(folder).stop()
    assert elsewhere.read_text() == "mine"
