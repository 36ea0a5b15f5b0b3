"""Whatever a table holds: what was written is read back, and what cannot be read is said and never raised."""

import csv
import io
import json

from hypothesis import given, settings
from hypothesis import strategies as st

from batch_avatar.scripts.choice import SourceChoice
from batch_avatar.scripts.findings import Finding
from batch_avatar.scripts.readers.csv_table import SEPARATORS, csv_rows
from batch_avatar.scripts.readers.draft import Draft, Named
from batch_avatar.scripts.readers.json_table import read_json
from batch_avatar.scripts.readers.table import Row, scripts_of

EXAMPLES = settings(derandomize=True, deadline=None, database=None)
READ_CSV = scripts_of(csv_rows)
CELLS = st.text(st.characters(codec="utf-8"), max_size=12)
MARKS = st.text(st.sampled_from("\",;\t|\r\na {}[]:'\\"), max_size=40)


def parts(reader, text):
    return list(reader(io.BytesIO(text.encode()), Named("m", "m"), SourceChoice()))


@EXAMPLES
@given(
    st.lists(st.tuples(CELLS, CELLS), max_size=5), st.sampled_from(SEPARATORS), st.sampled_from(["\n", "\r\n", "\r"])
)
def test_cells_that_were_written_are_read_back(rows, separator, end):
    text = io.StringIO()
    writer = csv.writer(text, delimiter=separator, lineterminator=end, quoting=csv.QUOTE_ALL)
    writer.writerows([("script_id", "content"), *rows])

    found = parts(READ_CSV, text.getvalue())

    filled = [
        {name: cell for name, cell in zip(("script_id", "content"), row, strict=True) if cell.strip()} for row in rows
    ]
    assert [part.values for part in found] == [values for values in filled if values]


@EXAMPLES
@given(MARKS)
def test_marks_in_any_order_give_rows_or_one_fault_of_csv(text):
    found = parts(csv_rows, text)

    assert sum(isinstance(part, Finding) for part in found) <= 1
    assert all(isinstance(part, Row) for part in found[:-1])
    assert all(
        1 <= (part.line or 1) <= text.count("\n") + text.count("\r") + 1 for part in found if isinstance(part, Finding)
    )


@EXAMPLES
@given(MARKS)
def test_marks_in_any_order_give_drafts_or_faults_of_json(text):
    assert all(isinstance(part, Draft | Finding) for part in parts(read_json, text))


@EXAMPLES
@given(st.lists(st.dictionaries(CELLS, CELLS, max_size=3), max_size=4), st.sampled_from([None, 0, 2]))
def test_objects_that_were_written_are_read_back(objects, indent):
    found = parts(read_json, json.dumps(objects, indent=indent, ensure_ascii=False))

    assert [part.values for part in found] == objects
