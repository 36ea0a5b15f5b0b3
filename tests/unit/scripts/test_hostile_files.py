"""Files that are no scripts, or larger than any request: they are refused without being read."""

from __future__ import annotations

import json
import os
import threading
import tracemalloc
from contextlib import contextmanager

import pytest

from batch_avatar.scripts.reading import LONGEST_LINE_BYTES, MOST_DEFAULTS_BYTES
from tests.unit.scripts.hostile import faults, read

HUGE = 200_000_000
"""Bytes of a file that takes no room on the disk."""


def make_huge(path):
    with path.open("wb") as file:
        file.truncate(HUGE)
    return path


def make_pipe(path):
    os.mkfifo(path)
    return path


def make_device(path):
    path.symlink_to("/dev/zero")
    return path


@contextmanager
def little_memory(most_bytes=20_000_000):
    """Check that what happens inside never takes more."""
    tracemalloc.start()
    try:
        yield
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < most_bytes


@pytest.mark.parametrize(("make", "words"), [(make_pipe, "is a pipe"), (make_device, "is a device")])
def test_what_is_no_file_is_refused_in_a_folder(tmp_path, make, words):
    path = make(tmp_path / "a.txt")

    [fault] = faults(tmp_path)

    assert fault == f"{path}:1: a.txt {words}, and only files are read"


@pytest.mark.parametrize(("make", "words"), [(make_pipe, "is a pipe"), (make_device, "is a device")])
def test_what_is_no_file_is_refused_as_a_content_file_at_the_line_that_names_it(tmp_path, make, words):
    make(tmp_path / "a.txt")
    manifest = tmp_path / "m.jsonl"
    manifest.write_text('\n{"script_id": "a", "content_file": "a.txt"}\n')

    assert faults(manifest) == [f"{manifest}:2: a.txt {words}, and only files are read"]


@pytest.mark.parametrize(("make", "words"), [(make_pipe, "is a pipe"), (make_device, "is a device")])
def test_what_is_no_file_is_refused_as_defaults(tmp_path, make, words):
    (tmp_path / "a.txt").write_text("Hi.")
    path = make(tmp_path / "defaults.toml")

    assert faults(tmp_path) == [f"{path}:1: defaults.toml {words}, and only files are read"]


@pytest.mark.parametrize("name", ["a.txt", "a.jsonl"])
def test_a_device_is_refused_also_as_a_source(tmp_path, name):
    path = make_device(tmp_path / name)

    assert faults(path) == [f"{path}:1: {name} is a device, and only files are read"]


def test_a_folder_as_a_content_file_is_refused(tmp_path):
    (tmp_path / "texts").mkdir()
    manifest = tmp_path / "m.jsonl"
    manifest.write_text('{"script_id": "a", "content_file": "texts"}\n')

    assert faults(manifest) == [f"{manifest}:1: texts is a folder, and only files are read"]


def test_a_file_that_no_request_can_hold_is_refused_without_being_read(tmp_path):
    path = make_huge(tmp_path / "a.txt")

    with little_memory():
        found = faults(tmp_path)

    assert found == [f"{path}:1: a.txt has 200,000,000 bytes; a request with it may have 500,000"]


def test_a_content_file_that_no_request_can_hold_is_refused_without_being_read(tmp_path):
    make_huge(tmp_path / "a.txt")
    manifest = tmp_path / "m.jsonl"
    manifest.write_text('{"script_id": "a", "content_file": "a.txt"}\n')

    with little_memory():
        found = faults(manifest)

    assert found == [f"{manifest}:1: a.txt has 200,000,000 bytes; a request with it may have 500,000"]


def test_defaults_larger_than_any_are_refused_without_being_read(tmp_path):
    (tmp_path / "a.txt").write_text("Hi.")
    path = make_huge(tmp_path / "defaults.toml")

    with little_memory():
        found = faults(tmp_path)

    most = f"{MOST_DEFAULTS_BYTES:,}"
    assert found == [f"{path}:1: defaults.toml has 200,000,000 bytes; a defaults.toml may have {most}"]


@pytest.mark.parametrize("name", ["m.jsonl", "m.csv"])
def test_a_line_that_no_script_fills_refuses_its_manifest_without_being_read_whole(tmp_path, name):
    path = make_huge(tmp_path / name)

    with little_memory():
        found = faults(path)

    line = f"has a line of more than {LONGEST_LINE_BYTES:,} bytes, which fit into no request"
    assert found == [f"{path}:1: {name} {line}"]


def test_a_row_of_csv_that_never_ends_is_refused_before_all_of_it_is_in_memory(tmp_path):
    path = tmp_path / "m.csv"
    path.write_text("script_id,content\n" + '"x\n",' * 1_500_000)

    with little_memory(50_000_000):  # all cells together take 90 MB
        found = faults(path)

    assert len(found) == 1
    assert found[0].startswith(f"{path}:2: the row has more than {LONGEST_LINE_BYTES:,} characters")


def test_the_longest_script_that_fits_may_be_written_with_escapes_alone(tmp_path):
    text = "".join(f"\\u{ord('x'):04x}" for _ in range(499_000))
    manifest = tmp_path / "m.jsonl"
    manifest.write_text(f'{{"script_id": "a", "content": "{text}"}}\n')

    assert len(read(manifest)[0].content) == 499_000


def test_a_file_that_tells_no_size_is_read_no_further_than_allowed(tmp_path):
    """As those of `/proc`; some of them never end."""
    (tmp_path / "a.txt").symlink_to("/proc/self/pagemap")

    [fault] = faults(tmp_path)

    assert fault == f"{tmp_path}/a.txt:1: a.txt has more than 500,000 bytes; a request with it may have 500,000"


@pytest.mark.parametrize("name", ["a.txt", "m.jsonl", "m.csv"])
def test_a_pipe_that_is_named_as_a_source_is_read(tmp_path, name):
    texts = {"a.txt": "Hi.", "m.jsonl": json.dumps({"script_id": "a", "content": "Hi."})}
    path = make_pipe(tmp_path / name)
    writing = threading.Thread(target=path.write_text, args=(texts.get(name, "script_id,content\na,Hi.\n"),))
    writing.start()

    [script] = read(path)

    writing.join()
    assert (script.script_id, script.content) == ("a", "Hi.")


def test_a_long_manifest_from_a_pipe_is_not_kept_in_memory(tmp_path):
    path, lines = make_pipe(tmp_path / "m.jsonl"), 100
    text = "Some words. " * 40_000

    def write():
        with path.open("w") as pipe:
            for number in range(lines):
                pipe.write(json.dumps({"script_id": f"s{number}", "content": text}) + "\n")

    writing = threading.Thread(target=write)
    writing.start()

    with little_memory():  # all lines together are 48 MB
        found = read(path)

    writing.join()
    assert len(found) == lines


@pytest.mark.parametrize("name", ["x" * 300, "x" * 300 + ".txt", "x" * 300 + ".jsonl"])
def test_a_source_that_cannot_be_looked_at_is_a_fault(tmp_path, name):
    [fault] = faults(tmp_path / name)

    assert fault.startswith(f"{tmp_path}/{name}")
    assert "File name too long" in fault


def test_defaults_that_lead_nowhere_are_not_passed_over(tmp_path):
    (tmp_path / "a.txt").write_text("Hi.")
    (tmp_path / "defaults.toml").symlink_to(tmp_path / "gone.toml")

    [fault] = faults(tmp_path)

    assert fault == f"{tmp_path}/defaults.toml:1: cannot read defaults.toml: No such file or directory"


@pytest.mark.parametrize("name", ["a\0.jsonl", "a\0.txt", "\ud800.csv", "\ud800.txt"])
def test_a_source_that_no_file_can_be_called_is_a_fault(tmp_path, name):
    [fault] = faults(tmp_path / name)

    fault.encode()
    assert "is not the name of a file" in fault or "its name is not UTF-8" in fault
