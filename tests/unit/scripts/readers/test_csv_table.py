"""Tables of text as programs and people write them: any header, any separator, and each mistake told once."""

import json
import tracemalloc

import pytest

from batch_avatar.errors import ManifestError
from batch_avatar.scripts.choice import SourceChoice
from batch_avatar.scripts.manifest import read_scripts
from tests.unit.scripts.hostile import DEFAULTS, WIRE

HERE = "m.csv"


def read(path, **choice):
    return read_scripts([path], defaults=DEFAULTS, wire=WIRE, choice=SourceChoice(**choice))


def faults(path, **choice):
    with pytest.raises(ManifestError) as caught:
        read(path, **choice)
    return [fault.removeprefix(f"{path}") for fault in caught.value.faults]


def rules(path, **choice):
    with pytest.raises(ManifestError) as caught:
        read(path, **choice)
    return [finding.rule for finding in caught.value.findings]


@pytest.fixture
def table(tmp_path):
    def write(text, name=HERE):
        path = tmp_path / name
        path.write_bytes(text.encode())
        return path

    return write


# The header


@pytest.mark.parametrize(
    "header",
    [
        "Script ID,Content",
        "SCRIPT_ID,CONTENT",
        "script-id, content ",
        " Script  Id ,\u00a0content\u00a0",
        "\ufeffscript_id,content",
        '\ufeff"script_id","Content"',
        "script_id,\u200bcontent",
        '"Script\nID","content"',
        "\n\r\n  \nscript_id,content",
        ",\nscript_id,content",
    ],
)
def test_a_header_is_known_however_it_is_written(table, header):
    [script] = read(table(f"{header}\na,Hi.\n"))

    assert (script.script_id, script.content) == ("a", "Hi.")


def test_the_header_may_stand_below_empty_rows_and_faults_keep_their_line(table):
    path = table('\n\n"script_id",content\n\n_a,Hi.\n')

    [fault] = faults(path)

    assert fault.startswith(":5: _a: ")


@pytest.mark.parametrize(
    ("header", "has"),
    [
        ("Title,Text,Voice", "Title, Text, Voice"),
        ("script_id,text", "script_id, text"),
        ("id,content", "id, content"),
        ("a,Hello there", "a, Hello there"),
        ("script_id", "script_id"),
        (",".join(f"c{number}" for number in range(20)), "c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11 and 8 more"),
    ],
)
def test_a_header_without_what_scripts_need_is_one_fault_that_says_what_it_has(table, header, has):
    path = table(f"{header}\nIntro,Hello,v\nOutro,Bye,v\n")

    assert faults(path) == [
        (
            f":1: the table has the columns {has}; scripts need script_id, and content or content_file: "
            "rename columns, or say e.g. `--column Title=script_id` to read the column Title as script_id"
        )
    ]


@pytest.mark.parametrize("header", ["script_id,content,Content", "script_id,content,text"])
def test_two_columns_of_one_name_are_refused(table, header):
    choice = {"columns": (("text", "content"),)} if "text" in header else {}

    [fault] = faults(table(f"{header}\na,First,Second\nb,First,Second\n"), **choice)

    assert fault == ":1: columns 2 and 3 are both content; rename or delete one of them"


def test_columns_of_one_name_that_are_left_out_are_nobodys_fault(table):
    path = table("script_id,content,note,note\na,Hi.,x,y\n")

    assert len(read(path, ignore_columns=("Note",))) == 1


@pytest.mark.parametrize("name", ["Text", "text", " TEXT "])
def test_a_column_is_read_as_what_is_chosen(table, name):
    path = table("Title,Text\na,Hi.\n")

    [script] = read(path, columns=(("Title", "script_id"), (name, "content")))

    assert (script.script_id, script.content) == ("a", "Hi.")


def test_a_chosen_column_that_the_table_has_not_is_a_fault(table):
    path = table("script_id,content\na,Hi.\n")

    assert faults(path, columns=(("Sprecher", "voice"),)) == [
        ":1: --column Sprecher: the table has no such column; it has script_id, content"
    ]


def test_a_column_that_is_chosen_as_no_property_is_a_fault(table):
    path = table("script_id,text\na,Hi.\n")

    assert faults(path, columns=(("text", "contnet"),)) == [
        ":1: --column text: contnet is no property of a script; did you mean content?"
    ]


# Columns and cells


def test_an_unknown_column_is_told_once_with_its_rows_and_what_to_do(table):
    path = table("script_id,content,voce,Status Now\na,Hi.,v,\nb,Hi.,v,ok\nc,Hi.,,\n")

    assert faults(path) == [
        (
            ":1: column voce is no property of a script, and 2 rows have something there; did you mean voice? "
            "`--column voce=voice` reads it so; `--ignore-columns voce` leaves it out, "
            "`--ignore-unknown` all that are no property"
        ),
        (
            ":1: column Status Now is no property of a script, and 1 row has something there; "
            "`--ignore-columns 'Status Now'` leaves it out, `--ignore-unknown` all that are no property"
        ),
    ]


@pytest.mark.parametrize(
    "choice",
    [
        {"ignore_columns": ("AUTHOR", "status now")},
        {"ignore_unknown": True},
        {"ignore_columns": ("author", "status-now")},
    ],
)
def test_unknown_columns_are_left_out_where_that_is_chosen(table, choice):
    path = table("script_id,content,author,Status Now\na,Hi.,Jane,ok\n,,Joe,\n")

    [script] = read(path, **choice)

    assert script.script_id == "a"


def test_an_unknown_column_that_is_empty_says_nothing(table):
    assert len(read(table("script_id,content,author\na,Hi.,\nb,Hi., \n"))) == 2


@pytest.mark.parametrize("rows", ["a,Hi.,\nb,Hi.,,,\n", "a,Hi.\n,\n\n , \nb,Hi.\n", "a,Hi.\nb,Hi., , \n"])
def test_empty_rows_and_empty_cells_too_many_are_nothing(table, rows):
    assert list(read(table(f"script_id,content\n{rows}")).script_ids) == ["a", "b"]


@pytest.mark.parametrize(
    ("head", "rows", "fault"),
    [
        ("script_id,content,,", "a,Hello,,oops", ":2: column 4 has no header, and 1 row has"),
        (
            "script_id,content",
            "a,Hi.\nb,Hello, you\nc,Hello, me",
            ":3: column 3 has no header, and 2 rows have",
        ),
        (
            "script_id,content",
            "a,1,2,3,4\nb,1,2",
            ":2: columns 3, 4, 5 have no header, and 2 rows have",
        ),
        ("script_id,,content", "a,x,Hi.", ":2: column 2 has no header, and 1 row has"),
    ],
)
def test_cells_under_no_header_are_told_once_with_their_columns(table, head, rows, fault):
    [told] = faults(table(f"{head}\n{rows}\n"))

    assert told.startswith(f"{fault} something there: name it or empty it; put a text with a separator in it into")


# The separator


@pytest.mark.parametrize("name", ["m.csv", "m.tsv"])
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize(
    "header",
    [
        ["script_id", "content", "voice"],
        ["Script ID", "Content", "Voice"],
        ["script_id", '"content"', '"voice"'],
        ["voice", "content", "script_id", '"a, b; c|d\te"'],
        ["script_id", "content", '"one, two, three, four"'],
        ["script_id", "content", "one two", '"a;;;;;;b,,,,,,c"'],
    ],
)
def test_the_header_tells_the_separator(table, name, separator, header):
    cells = {"script_id": "a", "content": '"Hi, you; there | now\tand"', "voice": "own-voice"}
    known = [title.strip('"').lower().replace(" ", "_") for title in header]
    row = [cells.get(title, "") for title in known]
    path = table(f"{separator.join(header)}\r\n{separator.join(row)}\r\n", name)

    [script] = read(path, ignore_unknown=True)

    assert (script.script_id, script.content) == ("a", "Hi, you; there | now\tand")


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_a_header_that_is_all_unknown_is_parted_all_the_same(table, separator):
    [fault] = faults(table(separator.join(["Title", "Text", "Voice"]) + "\n"))

    assert "has the columns Title, Text, Voice;" in fault


@pytest.mark.parametrize(
    "first", ["sep=;", "SEP=;", '"sep=;"', "\ufeffsep=;", "sep=|", "sep=^"], ids=lambda first: first.strip("\ufeff")
)
def test_a_line_that_says_the_separator_is_obeyed_and_is_no_header(table, first):
    separator = first.strip('"')[-1]
    path = table(f"{first}\r\nscript_id{separator}content\r\n_a{separator}Hi, you\r\n")

    [fault] = faults(path)

    assert fault.startswith(":3: _a: ")


# Quotation marks


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('script_id,content\na,"Hello\nb,World\n', 2),
        ('script_id,content\na,Hi.\nb,"One\nTwo"\nc,"Three\nd,Four\n', 5),
        ('script_id,content,voice\na,"One\nTwo","three\nFour\n', 3),
        ('script_id,content\r\na,"Hello ""you""\r\nb,World\r\n', 2),
        ('script_id,content\ra,Hi.\rb,"Hello\rc,World\r', 3),
        ('script_id;content\na;"Hello, you\n', 2),
        ('script_id,"content\na,Hi.\n', 1),
    ],
)
def test_a_quotation_mark_that_is_never_closed_is_one_fault_where_it_opens(table, text, line):
    assert faults(table(text)) == [
        f":{line}: a quotation mark opens here and is never closed; close it, or write two if it belongs to the text"
    ]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (
            'script_id,content\na,"Hello\nb,"World"\n',
            ':2: the quotation mark that begins a cell here is closed before World"',
        ),
        (
            'script_id,content\na,"One.\nTwo."\nb,"x"y\n',
            ":4: the quotation mark that begins a cell here is closed before y",
        ),
        (
            'script_id,content\na,"x" \nb,"y"\n',
            ":2: the quotation mark that begins a cell here is closed before a blank",
        ),
    ],
)
def test_what_follows_a_closed_cell_is_one_fault_where_the_cell_begins(table, text, fault):
    [told] = faults(table(text))

    assert told == f"{fault}, where the cell should end; a quotation mark that is part of a text is written twice"


@pytest.mark.parametrize("header", ["script_id,content", 'script_id,content,5" screens'])
def test_quotation_marks_within_a_text_need_no_care(table, header):
    scripts = read(table(f'{header}\na,Say "hello" to 5" screens\nb,Hi.\n'))

    assert [script.content for script in scripts] == ['Say "hello" to 5" screens', "Hi."]


def test_a_quotation_mark_that_swallows_a_long_rest_is_found_where_it_opens(table):
    rows = "".join(f"s{index},Some words that are spoken.\n" for index in range(30_000))
    path = table(f'script_id,content\na,"never closed\n{rows}')

    assert faults(path) == [
        (
            ":2: the cell in quotation marks that opens here has more than 500,000 characters, "
            "which fit into no request; is it ever closed?"
        )
    ]


def test_a_header_that_never_ends_is_one_fault_in_little_memory(table):
    path = table('script_id,"content\n' + ("some words " * 100 + "\n") * 3_000)

    tracemalloc.start()
    try:
        [fault] = faults(path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert fault.startswith(":1: the cell in quotation marks that opens here has more than")
    assert peak < 40_000_000


# As a person has it


def test_every_fault_of_a_table_is_told_at_once(table):
    path = table('script_id,content,autor\n_a,Hi.,x\nb,Hello, you,too\nc,"never closed\n')

    assert rules(path) == ["table-malformed", "column-unnamed", "column-unknown", "id-unusable"]


def test_nested_members_are_json_in_their_cell(table):
    nested = json.dumps({"x": 1.5, "y": 2}).replace('"', '""')

    [script] = read(table(f'Script ID;Avatar size;Content\na;"{nested}";Hi.\n'))

    assert script.avatar_size.x == 1.5
