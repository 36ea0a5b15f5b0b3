"""Scripts as people write them, and every mistake in them with file and line."""

import json
import os
import tempfile
import threading
import tracemalloc

import pytest

from batch_avatar.errors import InputError, ManifestError
from batch_avatar.models import Script
from batch_avatar.scripts.manifest import check_scripts, read_scripts
from batch_avatar.service.wire.generations import wire_for
from tests.support.open_files import nameless_files

WIRE = wire_for("2024-08-01")
DEFAULTS = {
    "voice": "settings-voice",
    "talking_avatar_character": "lisa",
    "talking_avatar_style": "graceful-sitting",
}
SSML = "<speak version='1.0'><voice name='v'>Hi.</voice></speak>"
SEEMS = "; it seems to be windows-1252: say `--encoding windows-1252`, or save it as UTF-8"


def read(*sources, **defaults):
    return read_scripts(sources, defaults=DEFAULTS | defaults, wire=WIRE)


def faults(*sources, **defaults):
    with pytest.raises(ManifestError) as caught:
        read(*sources, **defaults)
    return list(caught.value.faults)


def write(path, text, *, encoding="utf-8", newline=""):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding=encoding, newline=newline)
    return path


def line(**members):
    return json.dumps({"script_id": "a", "content": "Hi."} | members)


# What is read


def test_a_folder_gives_one_script_a_file_in_the_order_of_names(tmp_path):
    write(tmp_path / "b.txt", "Second.")
    write(tmp_path / "a.ssml", SSML)
    write(tmp_path / "c.xml", SSML)
    write(tmp_path / "README.md", "not a script")
    write(tmp_path / "deeper" / "d.txt", "not a script either")

    found = read(tmp_path)

    assert [(script.script_id, script.input_kind) for script in found] == [
        ("a", "SSML"),
        ("b", "PlainText"),
        ("c", "SSML"),
    ]
    assert [script.content for script in found] == [SSML, "Second.", SSML]


def test_a_single_file_is_a_script(tmp_path):
    [script] = read(str(write(tmp_path / "intro.txt", "Hi.")))

    assert script == Script(script_id="intro", input_kind="PlainText", content="Hi.", **DEFAULTS)


def test_a_line_of_json_is_a_script_with_any_property(tmp_path):
    scene = {"zoom": 2.0}
    members = {"input_kind": "ssml", "content": SSML, "photo_avatar_base_model": "vasa-1", "scene": scene}
    manifest = write(tmp_path / "all.jsonl", f"{line(script_id='one', **members)}\n\n{line(script_id='two')}\n")

    one, two = read(manifest)

    assert (one.script_id, one.input_kind, one.scene.zoom) == ("one", "SSML", 2.0)
    assert (two.script_id, two.input_kind, two.content) == ("two", "PlainText", "Hi.")


def test_ndjson_is_another_name_for_the_same(tmp_path):
    assert len(read(write(tmp_path / "all.ndjson", line() + "\r\n" + line(script_id="b") + "\r\n"))) == 2


def test_a_row_of_csv_is_a_script_and_an_empty_cell_says_nothing(tmp_path):
    manifest = write(
        tmp_path / "all.csv",
        "script_id,content,voice,bitrate_kbps,customized,custom_voices\r\n"
        'one,"Hi, you.",own-voice,500,true,"{""Mine"": ""id-1""}"\r\n'
        'two,"First.\r\nSecond.",,,,\r\n',
    )

    one, two = read(manifest)

    assert (one.content, one.voice, one.bitrate_kbps, one.customized) == ("Hi, you.", "own-voice", 500, True)
    assert one.custom_voices == {"Mine": "id-1"}
    assert (two.content, two.voice, two.bitrate_kbps) == ("First.\r\nSecond.", "settings-voice", None)


def test_several_sources_are_one_batch_in_the_order_given(tmp_path):
    write(tmp_path / "folder" / "z.txt", "Hi.")
    single = write(tmp_path / "a.txt", "Hi.")
    manifest = write(tmp_path / "m.jsonl", line(script_id="m"))

    assert [script.script_id for script in read(tmp_path / "folder", single, manifest)] == ["z", "a", "m"]


def test_the_script_wins_over_defaults_toml_and_that_over_the_settings(tmp_path):
    write(tmp_path / "defaults.toml", 'voice = "folder-voice"\ntalking_avatar_style = "casual-sitting"\n')
    manifest = write(tmp_path / "all.jsonl", f"{line()}\n{line(script_id='b', voice='own-voice')}\n")

    a, b = read(manifest)

    assert (a.voice, a.talking_avatar_style, a.talking_avatar_character) == ("folder-voice", "casual-sitting", "lisa")
    assert (b.voice, b.talking_avatar_style, b.talking_avatar_character) == ("own-voice", "casual-sitting", "lisa")


@pytest.mark.parametrize("name", ["a.txt", "a.csv", "."])
def test_defaults_toml_holds_for_every_kind_of_source_beside_it(tmp_path, name):
    write(tmp_path / "defaults.toml", 'voice = "folder-voice"\n')
    write(tmp_path / "a.txt", "Hi.")
    write(tmp_path / "a.csv", "script_id,content\na,Hi.\n")

    assert read(tmp_path / name)[0].voice == "folder-voice"


def test_defaults_toml_of_one_folder_says_nothing_about_another(tmp_path):
    write(tmp_path / "one" / "defaults.toml", 'voice = "one-voice"\n')
    write(tmp_path / "one" / "a.txt", "Hi.")
    write(tmp_path / "two" / "b.txt", "Hi.")

    assert [script.voice for script in read(tmp_path / "one", tmp_path / "two")] == ["one-voice", "settings-voice"]


def test_a_property_can_be_set_back_to_unset(tmp_path):
    write(tmp_path / "defaults.toml", 'background_color = "#FF0000FF"\n')

    [script] = read(write(tmp_path / "all.jsonl", line(background_color=None)))

    assert script.background_color is None


def test_content_file_is_relative_to_the_manifest_and_tells_the_kind(tmp_path, monkeypatch):
    monkeypatch.chdir("/")
    write(tmp_path / "texts" / "one.ssml", SSML)
    write(tmp_path / "texts" / "two.txt", "Hi.")
    manifest = write(
        tmp_path / "all.jsonl",
        '{"script_id": "one", "content_file": "texts/one.ssml"}\n'
        '{"script_id": "two", "content_file": "texts/two.txt"}\n'
        '{"script_id": "three", "content_file": "texts/two.txt", "input_kind": "PlainText"}\n',
    )

    found = read(manifest)

    assert [(script.input_kind, script.content) for script in found] == [
        ("SSML", SSML),
        ("PlainText", "Hi."),
        ("PlainText", "Hi."),
    ]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_rows_of_csv_may_end_in_any_of_the_three_ways(tmp_path, end):
    manifest = write(tmp_path / "m.csv", end.join(["script_id,content", f'a,"One.{end}Two."', "b,Hi.", ""]))

    assert [script.content for script in read(manifest)] == [f"One.{end}Two.", "Hi."]


@pytest.mark.parametrize("name", ["m.jsonl", "m.csv"])
def test_a_line_that_only_looks_like_two_is_one(tmp_path, name):
    text = "One.\u2028Two.\x85Three.\x0bFour."
    as_json = json.dumps({"script_id": "a", "content": text}, ensure_ascii=False)
    manifest = write(tmp_path / name, as_json if name == "m.jsonl" else f"script_id,content\na,{text}\n")

    [script] = read(manifest)

    assert script.content == text


@pytest.mark.parametrize(("name", "text"), [("m.jsonl", line()), ("m.csv", "script_id,content\na,Hi.\n")])
def test_a_manifest_may_come_through_a_pipe(tmp_path, name, text):
    os.mkfifo(tmp_path / name)
    writing = threading.Thread(target=(tmp_path / name).write_text, args=(text,))
    writing.start()

    [script] = read(tmp_path / name)

    writing.join()
    assert script.content == "Hi."


@pytest.mark.parametrize("form", ["m.jsonl", "m.csv", "folder"])
def test_the_scripts_are_never_in_memory_all_together(tmp_path, form):
    text, number = "Some words. " * 4_000, 100
    if form == "folder":
        for index in range(number):
            write(tmp_path / form / f"s{index}.txt", text)
    else:
        row = "s{},{}" if form == "m.csv" else '{{"script_id": "s{}", "content": "{}"}}'
        head = ["script_id,content"] if form == "m.csv" else []
        write(tmp_path / form, "\n".join([*head, *(row.format(index, text) for index in range(number))]))

    tracemalloc.start()
    try:
        found = read(tmp_path / form)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert list(found.script_ids) == [script.script_id for script in found]
    assert len(found) == number
    assert peak < 1_500_000  # all texts together are 4.8 MB


@pytest.mark.parametrize(
    ("name", "text"),
    [("a.txt", "Hi."), ("a.jsonl", line()), ("a.csv", "script_id,content\na,Hi.\n")],
)
def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path, name, text):
    [script] = read(write(tmp_path / name, text, encoding="utf-8-sig"))

    assert (script.script_id, script.content) == ("a", "Hi.")


def test_text_keeps_its_blanks_and_its_script(tmp_path):
    [script] = read(write(tmp_path / "größe.txt", "  Grüße,\r\n日本! \n"))

    assert (script.script_id, script.content) == ("größe", "  Grüße,\r\n日本! \n")


def test_a_csv_cell_may_be_as_long_as_the_service_takes(tmp_path):
    text = "word " * 40_000

    [script] = read(write(tmp_path / "all.csv", f"script_id,content\na,{text}\n"))

    assert script.content == text


def test_a_csv_cell_that_looks_like_json_is_text_where_text_is_wanted(tmp_path):
    [script] = read(write(tmp_path / "all.csv", 'script_id,content\na,"{""x"": 1}"\n'))

    assert script.content == '{"x": 1}'


# What is wrong, and where


def test_a_source_that_does_not_exist_is_named(tmp_path):
    assert faults(tmp_path / "nothing") == [f"{tmp_path}/nothing: does not exist"]


def test_a_file_of_another_kind_is_named(tmp_path):
    path = write(tmp_path / "a.png", "Hi.")

    [fault] = faults(path)

    assert fault.startswith(f"{path}: no folder, and of no kind that is read; those are .txt")


def test_an_empty_folder_is_a_fault(tmp_path):
    assert faults(tmp_path) == [f"{tmp_path}: no scripts in it (*.txt, *.ssml, *.xml)"]


def test_a_folder_named_like_a_script_is_read_as_a_folder(tmp_path):
    (tmp_path / "a.txt").mkdir()

    assert faults(tmp_path / "a.txt") == [f"{tmp_path}/a.txt: no scripts in it (*.txt, *.ssml, *.xml)"]


@pytest.mark.parametrize(("name", "text"), [("a.jsonl", ""), ("a.jsonl", "\n \n"), ("a.csv", "script_id,content\n")])
def test_a_manifest_without_scripts_is_a_fault(tmp_path, name, text):
    path = write(tmp_path / name, text)

    assert faults(path) == [f"{path}:1: no scripts in it"]


def test_nothing_at_all_is_a_fault():
    assert faults() == ["no scripts"]


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    path = tmp_path / "a.txt"
    path.symlink_to(tmp_path / "gone.txt")

    assert faults(path) == [f"{path}:1: cannot read a.txt: No such file or directory"]


def test_a_file_of_a_folder_that_cannot_be_read_is_not_passed_over(tmp_path):
    write(tmp_path / "a.txt", "Hi.")
    (tmp_path / "b.txt").symlink_to(tmp_path / "gone.txt")

    assert faults(tmp_path) == [f"{tmp_path}/b.txt:1: cannot read b.txt: No such file or directory"]


def test_a_content_file_that_cannot_be_read_is_named_with_the_line_that_names_it(tmp_path):
    manifest = write(tmp_path / "m.jsonl", f'{line()}\n{{"script_id": "b", "content_file": "gone.txt"}}\n')

    assert faults(manifest) == [f"{manifest}:2: cannot read gone.txt: No such file or directory"]


def test_content_and_content_file_exclude_each_other(tmp_path):
    manifest = write(tmp_path / "m.jsonl", line(content_file="a.txt"))

    assert faults(manifest) == [f"{manifest}:1: content and content_file exclude each other"]


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_text_that_is_not_utf_8_is_found_on_its_line(tmp_path, mark):
    path = tmp_path / "a.txt"
    path.write_bytes(mark + b"One.\r\nTwo.\nGr\xfc\xdfe.\nFour.")

    [fault] = faults(path)

    assert fault.startswith(f"{path}:3: a.txt is not UTF-8 (byte ")


def test_a_manifest_that_is_not_utf_8_is_found_on_its_line(tmp_path):
    path = tmp_path / "m.jsonl"
    path.write_bytes(line().encode() + b'\n{"script_id": "b", "content": "Gr\xfc\xdfe"}\n')

    [fault] = faults(path)

    assert fault.startswith(f"{path}:2: m.jsonl is not UTF-8 (byte ")


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_no_row_is_told_of_a_manifest_that_is_not_utf_8(tmp_path, mark):
    path = tmp_path / "m.csv"
    path.write_bytes(mark + b"script_id,content\n_a,Hi.\nb,Gr\xfc\xdfe\n_c,Hi.\n")

    assert faults(path) == [f"{path}:3: m.csv is not UTF-8 (byte 29){SEEMS}"]


def test_a_letter_cut_off_at_the_end_is_not_utf_8(tmp_path):
    path = tmp_path / "m.jsonl"
    path.write_bytes(b"{}\n{}\n\xe2\x82")

    assert faults(path) == [f"{path}:3: m.jsonl is not UTF-8 (byte 6){SEEMS}"]


@pytest.mark.parametrize("name", ["a\0.txt", "\ud800.txt"])
def test_a_content_file_that_no_file_can_be_called_is_refused(tmp_path, name):
    manifest = write(tmp_path / "m.jsonl", json.dumps({"script_id": "a", "content_file": name}))

    assert faults(manifest) == [f"{manifest}:1: {name!r} is not the name of a file"]


def test_a_content_file_that_is_not_utf_8_is_found_by_the_line_that_names_it(tmp_path):
    (tmp_path / "b.txt").write_bytes(b"Gr\xfc\xdfe")
    manifest = write(tmp_path / "m.jsonl", f'{line()}\n{{"script_id": "b", "content_file": "b.txt"}}\n')

    assert faults(manifest) == [f"{manifest}:2: b.txt is not UTF-8 (byte 2){SEEMS}"]


def test_a_script_id_that_is_taken_tells_by_whom(tmp_path):
    folder = write(tmp_path / "folder" / "a.txt", "Hi.").parent
    write(tmp_path / "folder" / "a.ssml", SSML)
    manifest = write(tmp_path / "m.jsonl", f"{line(script_id='b')}\n{line()}\n{line(script_id='b')}\n")

    assert faults(folder, manifest) == [
        f"{folder}/a.txt:1: a: script_id is taken by {folder}/a.ssml:1",
        f"{manifest}:2: a: script_id is taken by {folder}/a.ssml:1",
        f"{manifest}:3: b: script_id is taken by {manifest}:1",
    ]


@pytest.mark.parametrize("again", [".", "a.txt"])
def test_a_source_that_is_named_twice_does_not_give_its_scripts_twice(tmp_path, again):
    write(tmp_path / "a.txt", "Hi.")

    [fault] = faults(tmp_path, tmp_path / again)

    assert "a: script_id is taken by" in fault


@pytest.mark.parametrize("script_id", ["a//b", "..", "_failed", "a\tb", " a", "a."])
def test_a_forbidden_script_id_is_refused_where_it_stands(tmp_path, script_id):
    manifest = write(tmp_path / "m.jsonl", f"{line()}\n{line(script_id=script_id)}\n")

    fault, *_ = faults(manifest)

    seen = script_id.replace("\t", "\\t")
    assert fault.startswith(f"{manifest}:2: {seen}: script_id must not")


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"script_id": ""}, "script_id is empty"),
        ({"script_id": "x" * 201}, "script_id must have at most 200 characters, not 201 characters"),
        ({"script_id": True}, "script_id must be text, not true"),
        ({"content": ""}, "content is empty"),
        ({"content": []}, "content must be text, not a list"),
        ({"voise": "v"}, "unknown property 'voise'"),
        ({"scene": {"zoom": 1, "tilt": 2}}, "unknown property 'scene.tilt'"),
        ({"video_crop": {"top_left": {"x": 1, "y": 2}}}, "video_crop.bottom_right is missing"),
        ({"video_format": "avi"}, "video_format is mp4 or webm, not avi"),
        ({"video_codec": ""}, "video_codec is empty"),
        ({"input_kind": "html"}, "input_kind must be 'PlainText' or 'SSML', not html"),
        ({"bitrate_kbps": 0}, "bitrate_kbps must be more than 0, not 0"),
        ({"time_to_live_in_hours": 745}, "time_to_live_in_hours must be at most 744, not 745"),
        ({"scene": {"zoom": 0}}, "scene.zoom must be more than 0, not 0"),
        (
            {"extra_properties": {"avatarConfig": 1}},
            "extra_properties.avatarConfig must be an object in braces { }, not 1",
        ),
        ({"voice": "unset"}, "PlainText needs a voice"),
        ({"background_color": "transparent", "video_format": "mp4"}, "a transparent background needs webm with vp9"),
        ({"input_kind": "SSML", "content": "<speak>"}, "<speak> of line 1 is never closed"),
        ({"content": "\ud800"}, "content must be text without half of a surrogate pair"),
        ({"description": "\ud800"}, "a property holds half of a surrogate pair"),
        ({"custom_voices": {"\ud800": "id-1"}}, "a property holds half of a surrogate pair"),
    ],
)
def test_a_line_that_breaks_a_rule_is_refused_where_it_stands(tmp_path, members, words):
    manifest = write(tmp_path / "m.jsonl", f"{line(script_id='good')}\n{line(**members)}\n")

    [fault] = faults(manifest)

    assert fault.startswith(f"{manifest}:2: ")
    assert words in fault


def test_a_script_without_id_or_content_says_so(tmp_path):
    manifest = write(tmp_path / "m.jsonl", "{}\n")

    assert faults(manifest) == [f"{manifest}:1: script_id is missing", f"{manifest}:1: content is missing"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"script_id": "b",', "malformed JSON: "),
        ("{'script_id': 'b'}", "malformed JSON: "),
        ("[]", "each script is an object in braces { }, not a list"),
        ("7", "each script is an object in braces { }, not a number"),
        ('"b"', "each script is an object in braces { }, not a text"),
        ("[" * 100_000, "malformed JSON: "),
    ],
    ids=["cut", "single quotes", "list", "number", "text", "too deep"],
)
def test_malformed_json_is_found_on_its_line_and_the_others_are_read_on(tmp_path, text, words):
    manifest = write(tmp_path / "m.jsonl", f"{line()}\n\n{text}\n{line(script_id='b', voise='v')}\n")

    malformed, unknown = faults(manifest)

    assert malformed.startswith(f"{manifest}:3: {words}")
    assert unknown == f"{manifest}:4: b: unknown property 'voise'; did you mean voice?"


def test_malformed_json_is_told_with_its_place_in_the_line_alone(tmp_path):
    [fault] = faults(write(tmp_path / "m.jsonl", f"{line()}\n{{]\n"))

    assert fault.endswith("m.jsonl:2: malformed JSON: a name in quotation marks is missing before ] (column 2)")


def test_a_row_is_found_on_the_line_where_it_begins_also_after_a_cell_of_many_lines(tmp_path):
    manifest = write(
        tmp_path / "m.csv",
        'script_id,content\r\na,"One.\r\n\r\nThree."\r\n\r\nb/,Hi.\r\nc,"Hi.\r\nHi.",too,many\r\nd.,Hi.\r\n',
    )

    assert [fault.split(": ")[:2] for fault in faults(manifest)] == [
        [f"{manifest}:7", "columns 3, 4 have no header, and 1 row has something there"],
        [f"{manifest}:6", "b/"],
        [f"{manifest}:9", "d."],
    ]


def test_a_stray_quote_in_csv_is_found_on_its_line(tmp_path):
    manifest = write(tmp_path / "m.csv", 'script_id,content\na,"One.\nTwo."\nb,"x"y\n')

    [fault] = faults(manifest)

    assert fault.startswith(f"{manifest}:4: the quotation mark that begins a cell here is closed before y")


def test_a_quote_that_is_never_closed_is_found_on_the_line_of_its_row(tmp_path):
    manifest = write(tmp_path / "m.csv", 'script_id,content\na,Hi.\nb,"never closed\nc,Hi.\nd,Hi.\n')

    [fault] = faults(manifest)

    assert fault.startswith(f"{manifest}:3: a quotation mark opens here and is never closed")


def test_a_column_that_is_no_property_is_named(tmp_path):
    manifest = write(tmp_path / "m.csv", "script_id,content,speed\na,Hi.,fast\n")

    [fault] = faults(manifest)

    assert fault.startswith(f"{manifest}:1: column speed is no property of a script, and 1 row has something there")


def test_a_row_with_too_few_cells_lacks_what_it_lacks(tmp_path):
    manifest = write(tmp_path / "m.csv", "script_id,content\na\n")

    assert faults(manifest) == [f"{manifest}:2: a: content is missing"]


def test_malformed_defaults_are_found_on_their_line(tmp_path):
    write(tmp_path / "a.txt", "Hi.")
    path = write(tmp_path / "defaults.toml", 'voice = "v"\nstyle = \n')

    [fault] = faults(tmp_path)

    assert fault.startswith(f"{path}:2: malformed TOML: ")


def test_malformed_defaults_are_told_once(tmp_path):
    path = write(tmp_path / "defaults.toml", "voice =")
    one, two = write(tmp_path / "a.txt", "Hi."), write(tmp_path / "b.txt", "Hi.")

    [fault] = faults(one, two)

    assert fault.startswith(f"{path}:")


def test_defaults_may_not_hold_unknown_properties(tmp_path):
    write(tmp_path / "a.txt", "Hi.")
    path = write(tmp_path / "defaults.toml", 'voise = "v"\n')

    assert faults(tmp_path) == [f"{path}:1: unknown property 'voise'; did you mean voice?"]


def test_a_body_of_more_than_500_kb_is_refused_and_one_just_below_is_not(tmp_path):
    path = write(tmp_path / "a.txt", "x" * 499_500)
    assert len(read(path)) == 1

    write(path, "x" * 500_000)

    [fault] = faults(path)
    assert fault.startswith(f"{path}:1: a: the request has 500,")
    assert fault.endswith(" bytes; the service takes 500,000")


def test_the_size_that_counts_is_that_of_bytes(tmp_path):
    [fault] = faults(write(tmp_path / "a.txt", "日" * 166_650))

    assert "the request has 500," in fault


def test_all_faults_of_all_sources_come_in_one_error(tmp_path):
    folder = write(tmp_path / "folder" / "a.txt", "").parent
    write(folder / "b.ssml", "<speak>")
    (folder / "c.txt").write_bytes(b"\xff")
    jsonl = write(tmp_path / "m.jsonl", f"{{]\n{line(script_id='d', voise='v', style=[7])}\n")
    table = write(tmp_path / "m.csv", "script_id,content\n_e,Hi.\n")

    with pytest.raises(ManifestError) as caught:
        read(folder, jsonl, table, tmp_path / "gone")

    found = caught.value.faults
    assert sorted(fault.split(": ")[0].removeprefix(f"{tmp_path}/") for fault in found) == [
        "folder/a.txt:1",
        "folder/b.ssml:1",
        "folder/c.txt:1",
        "gone",
        "m.csv:2",
        "m.jsonl:1",
        "m.jsonl:2",
        "m.jsonl:2",
    ]
    assert str(caught.value).startswith("8 faults in the scripts:\n  ")
    assert all(fault in str(caught.value) for fault in found)


def test_faults_of_files_come_before_those_of_scripts(tmp_path):
    manifest = write(tmp_path / "m.jsonl", f"{line(voise='v')}\n{{\n")
    folder = write(tmp_path / "folder" / "_b.txt", "Hi.").parent

    found = faults(manifest, folder, tmp_path / "gone")

    places = [f"{manifest}:2", f"{tmp_path}/gone", f"{manifest}:1", f"{folder}/_b.txt:1"]
    assert [fault.split(": ")[0] for fault in found] == places


def test_scripts_that_were_refused_take_no_disk_while_the_error_is_kept(tmp_path):
    manifest = write(tmp_path / "m.jsonl", f"{line()}\n{line(script_id='_b')}\n")
    before = nameless_files()

    with pytest.raises(ManifestError) as caught:
        read(manifest)

    assert nameless_files() <= before
    assert len(caught.value.faults) == 1


def test_without_room_for_temporary_files_no_script_is_taken(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))

    with pytest.raises(InputError, match="scripts and outcomes are kept in a temporary file"):
        read(write(tmp_path / "a.txt", "Hi."))


def test_no_fault_repeats_a_signature(tmp_path):
    signed = "https://u.blob.core.windows.net/c?sr=b&sp=r&se=2027&sig=canary"
    manifest = write(tmp_path / "m.jsonl", line(destination_container_url=signed, background_color=signed))

    assert "canary" not in "\n".join(faults(manifest))


# Scripts that come as values


def test_scripts_given_as_values_get_the_same_defaults_and_the_same_checks():
    good, bad = Script(script_id="a", content="Hi.", voice="own-voice"), Script(script_id="_b", content="Hi.")

    [done] = check_scripts([good], defaults=DEFAULTS, wire=WIRE)
    assert done == Script(script_id="a", content="Hi.", **DEFAULTS | {"voice": "own-voice"})

    with pytest.raises(ManifestError) as caught:
        check_scripts([good, bad, good], defaults=DEFAULTS, wire=WIRE)
    assert [fault.split(": ")[0] for fault in caught.value.faults] == ["scripts[1]", "scripts[2]"]


def test_no_scripts_given_as_values_is_a_fault():
    with pytest.raises(ManifestError, match="none given"):
        check_scripts([], defaults=DEFAULTS, wire=WIRE)
