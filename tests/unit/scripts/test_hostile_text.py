"""Texts that are made to break their parser: one fault for one cause, with its place, and little work."""

from __future__ import annotations

import json
import os

import pytest

from batch_avatar.errors import ManifestError
from batch_avatar.scripts.drafts import check_defaults, check_draft, check_file
from batch_avatar.scripts.findings import refusals, warnings
from batch_avatar.scripts.manifest import read_scripts
from batch_avatar.scripts.parsing import MOST_DIGITS, MOST_DOTS
from tests.unit.scripts.hostile import DEFAULTS, WIRE, faults, read

DEEP = 30_000


def draft_faults(**members):
    _, found = check_draft({"script_id": "a", "content": "Hi.", **DEFAULTS, **members}, own=members, wire=WIRE)
    return [finding.message for finding in refusals(found)]


def draft_warnings(**members):
    _, found = check_draft({"script_id": "a", "content": "Hi.", **DEFAULTS, **members}, own=members, wire=WIRE)
    return [finding.rule for finding in warnings(found)]


def line(**members):
    return json.dumps({"script_id": "a", "content": "Hi."} | members)


# TOML

HOSTILE_TOML = {
    "dotted": ("a" + ".a" * DEEP + " = 1", f"1: malformed TOML: a line with more than {MOST_DOTS} dots"),
    "dotted with blanks": (
        "\na" + " . a" * 15_000 + " = 1",
        f"2: malformed TOML: a line with more than {MOST_DOTS} dots",
    ),
    "quoted": ("a" + '.""' * 20_000 + " = 1", f"1: malformed TOML: a line with more than {MOST_DOTS} dots"),
    "table": ("[a" + ".a" * DEEP + "]", f"1: malformed TOML: a line with more than {MOST_DOTS} dots"),
    "deep list": ("a = " + "[" * DEEP, "1: malformed TOML: nested too deeply"),
    "deep tables": ("a = " + "{a=" * 15_000, "1: malformed TOML: nested too deeply"),
    "digits": ("bitrate_kbps = " + "1" * 5_000, "1: malformed TOML: a number has too many digits"),
}


@pytest.mark.parametrize("name", HOSTILE_TOML)
def test_hostile_defaults_are_one_fault_of_their_folder(tmp_path, name):
    text, words = HOSTILE_TOML[name]
    (tmp_path / "defaults.toml").write_text(text)
    for script in ("a", "b"):
        (tmp_path / f"{script}.txt").write_text("Hi.")

    [fault] = faults(tmp_path)

    assert fault.startswith(f"{tmp_path}/defaults.toml:{words}")


@pytest.mark.parametrize("name", HOSTILE_TOML)
def test_hostile_defaults_of_an_inbox_are_one_fault(name):
    text, words = HOSTILE_TOML[name]

    with pytest.raises(ManifestError) as caught:
        check_defaults("defaults.toml", text.encode())

    [fault] = caught.value.faults
    assert fault.startswith(f"defaults.toml:{words}")


def test_faulty_defaults_say_nothing_of_scripts_that_would_have_been_good_with_them(tmp_path):
    (tmp_path / "defaults.toml").write_text('voice = "v"\nstyle = ')
    (tmp_path / "a.txt").write_text("Hi.")

    with pytest.raises(ManifestError) as caught:
        read_scripts([tmp_path], defaults={}, wire=WIRE)

    assert len(caught.value.faults) == 1


def test_ordinary_defaults_may_hold_many_dots():
    text = "\n".join(["description = '" + "One. " * MOST_DOTS + "'", "scene.zoom = 1.5", "scene.position_x = 0.5"])

    assert check_defaults("defaults.toml", text.encode()).values["scene"] == {"zoom": 1.5, "position_x": 0.5}


# JSON

HOSTILE_JSON = {
    "deep list": ("[" * 100_000, "malformed JSON: nested too deeply"),
    "deep object": ('{"a":' * 100_000, "malformed JSON: nested too deeply"),
    "deep member": (
        f'{{"script_id": "b", "content": "Hi.", "scene": {"[" * DEEP}{"]" * DEEP}}}',
        "malformed JSON: nested",
    ),
    "digits": (f'{{"script_id": "b", "bitrate_kbps": {"1" * 5_000}}}', "malformed JSON: a number has 5,000 digits"),
    "fewer digits": (f'{{"script_id": "b", "bitrate_kbps": {"1" * 400}}}', "malformed JSON: a number has 400 digits"),
    "exponent": (
        '{"script_id": "b", "content": "Hi.", "avatar_size": {"x": 1e999, "y": 1}}',
        "b: a number is too large",
    ),
    "infinity": (
        '{"script_id": "b", "avatar_size": {"x": Infinity, "y": 1}}',
        "malformed JSON: Infinity is no number of JSON",
    ),
    "nan": ('{"script_id": "b", "avatar_size": {"x": NaN, "y": 1}}', "malformed JSON: NaN is no number of JSON"),
}


@pytest.mark.parametrize("name", HOSTILE_JSON)
def test_hostile_json_is_one_fault_on_its_line(tmp_path, name):
    text, words = HOSTILE_JSON[name]
    manifest = tmp_path / "m.jsonl"
    manifest.write_text(f"{line()}\n{text}\n")

    [fault] = faults(manifest)

    assert fault.startswith(f"{manifest}:2: {words}")
    assert len(fault) < len(str(manifest)) + 200


@pytest.mark.parametrize("cell", ["[" * DEEP, "1" * 5_000, "NaN"])
def test_hostile_json_in_a_cell_is_one_fault_on_its_line(tmp_path, cell):
    manifest = tmp_path / "m.csv"
    manifest.write_text(f'script_id,content,scene\na,Hi.,\nb,Hi.,"{cell}"\n')

    [fault] = faults(manifest)

    assert fault.startswith(f"{manifest}:3: b: scene")


def test_a_number_may_have_as_many_digits_as_any_that_means_something(tmp_path):
    manifest = tmp_path / "m.jsonl"
    digits = "0." + "3" * (MOST_DIGITS * 2)
    manifest.write_text(f'{{"script_id": "a", "content": "Hi.", "avatar_size": {{"x": {digits}, "y": 100000}}}}\n')

    assert read(manifest)[0].avatar_size.x == float(digits)


@pytest.mark.parametrize(
    "number", [int("f" * 5_000, 16), float("inf"), float("-inf")], ids=["hexadecimal", "inf", "-inf"]
)
def test_a_number_that_no_request_can_carry_is_a_fault(number):
    name = {"bitrate_kbps": number} if isinstance(number, int) else {"avatar_size": {"x": number, "y": 1}}

    assert draft_faults(**name) == ["a number is too large, or none, so that no request can carry it"]


@pytest.mark.parametrize("text", ["https://[bad", "https://a]/"])
@pytest.mark.parametrize("name", ["background_image", "destination_container_url"])
def test_a_link_that_is_none_is_a_fault(name, text):
    [fault] = draft_faults(**{name: text})

    assert name in fault


# Names and characters


@pytest.mark.parametrize("member", ["script_id", "content", "voice", "description"])
def test_half_a_surrogate_pair_is_one_fault_that_can_be_shown(tmp_path, member):
    manifest = tmp_path / "m.jsonl"
    manifest.write_text(line(**{member: "x\ud800"}))

    [fault] = faults(manifest)

    assert fault.startswith(f"{manifest}:1: ")
    fault.encode()
    if member != "description":
        assert f"{member} must be text without half" in fault


def test_half_a_surrogate_pair_in_the_name_of_a_member_can_be_shown(tmp_path):
    manifest = tmp_path / "m.jsonl"
    manifest.write_text(line(**{"x\ud800": 1}))

    [fault] = faults(manifest)

    fault.encode()
    assert (
        fault == f"{manifest}:1: a: the name of a property holds half of a surrogate pair, which no request can carry"
    )


@pytest.mark.parametrize("member", ["content", "description", "voice"])
def test_a_nul_is_one_fault(tmp_path, member):
    manifest = tmp_path / "m.jsonl"
    manifest.write_text(line(**{member: "a\0b"}))

    assert faults(manifest) == [f"{manifest}:1: a: {member} holds a NUL character, which cannot be spoken or sent"]


def test_a_text_in_utf_16_is_one_fault_that_says_so(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes("Hi.".encode("utf-16-le"))

    [fault] = faults(path)

    assert fault.startswith(f"{path}:1: a.txt is not UTF-8 (byte 1); it seems to be utf-16-le: say `--encoding utf-16")


@pytest.mark.parametrize("named", ["folder", "file"])
def test_a_file_whose_name_is_not_utf_8_is_one_fault_that_can_be_shown(tmp_path, named):
    path = tmp_path / os.fsdecode(b"gr\xfc\xdfe.txt")
    path.write_text("Hi.")

    [fault] = faults(tmp_path if named == "folder" else path)

    fault.encode()
    assert (
        fault == f"{tmp_path}/gr\\udcfc\\udcdfe.txt:1: its name is not UTF-8, so no script can be called so; rename it"
    )


def test_a_folder_whose_name_is_not_utf_8_may_hold_scripts_and_faults_in_it_can_be_shown(tmp_path):
    folder = tmp_path / os.fsdecode(b"gr\xfc\xdfe")
    folder.mkdir()
    (folder / "a.txt").write_text("Hi.")
    assert [script.script_id for script in read(folder)] == ["a"]
    (folder / "_b.txt").write_text("Hi.")

    [fault] = faults(folder)

    fault.encode()


def test_a_dropped_file_with_a_nul_is_one_fault():
    with pytest.raises(ManifestError) as caught:
        check_file("a.txt", b"a\0b", defaults=DEFAULTS, wire=WIRE)

    assert len(caught.value.faults) == 1


# Signed links in SSML


@pytest.mark.parametrize(("query", "warned"), [("sv=1&amp;se=2&amp;SIG=x", True), ("width=1", False)])
def test_ssml_with_a_signed_link_is_read_with_a_warning(query, warned):
    ssml = f"<speak><voice name='v'><audio src='https://u.blob.core.windows.net/c/a.wav?{query}'/></voice></speak>"

    members = {"input_kind": "SSML", "content": ssml, "voice": None}

    assert draft_faults(**members) == []
    assert ("ssml-signed-link" in draft_warnings(**members)) is warned
