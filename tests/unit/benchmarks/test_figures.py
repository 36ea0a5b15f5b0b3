"""Rows say what was aimed at, what came out and how far it spread; charts are well-formed and always the same."""

import json

import pytest
from defusedxml.ElementTree import fromstring

from benchmarks.charts import Bar, Line, bar_chart, line_chart, write_chart
from benchmarks.figures import Row, Spread, Target, number, store, stored_rows, table
from benchmarks.page import write_table
from tests.support.manual_clock import ManualClock

MET = Row("makespan", "ours", Spread.of([1.02, 1.01, 1.03]), Target("<=", 1.02))
MISSED = Row("makespan", "waves", Spread.of([3.4]), Target("<=", 1.02), remark="waits for the slowest")
PLAIN = Row("requests", "ours", Spread.of([1234.4, 5.0]))

SVG = "{http://www.w3.org/2000/svg}"


def test_a_spread_is_the_median_between_the_least_and_the_most():
    assert Spread.of([5.0, 1.0, 3.0, 9.0, 2.0]) == Spread(3.0, 1.0, 9.0, 5)
    with pytest.raises(ValueError, match="no values"):
        Spread.of([])


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0"), (0.00492, "0.00492"), (1.0, "1"), (3.46649, "3.466"), (203.31, "203.3"), (88_209.0, "88,209")],
)
def test_figures_have_four_significant_digits(value, text):
    assert number(value) == text


def test_the_median_decides_whether_a_target_is_met():
    assert (MET.verdict, MISSED.verdict, PLAIN.verdict) == ("met", "MISSED", "")
    assert Target(">=", 5).met_by(5.0)
    assert not Target("=", 1).met_by(1.001)


def test_the_table_has_a_line_for_each_figure_ours_first_and_then_the_remarks():
    lines = table([MISSED, MET, PLAIN]).splitlines()

    assert lines[0].split() == ["figure", "by", "measured", "spread", "target", "beside", "it"]
    makespan = ["makespan", "ours", "1.02", "1.01..1.03", "of", "3", "<=", "1.02", "met", "waves", "3.4"]
    assert lines[2].split() == makespan
    assert lines[3].split() == ["requests", "ours", "619.7", "5..1,234", "of", "2"]
    assert lines[4:] == ["makespan, waves: waits for the slowest"]


def test_what_was_measured_once_has_no_spread():
    assert table([Row("memory", "ours", Spread.of([7.0]))]).splitlines()[2].split() == [
        "memory",
        "ours",
        "7",
        "one",
        "run",
    ]


def test_a_page_shows_the_same_table_and_keeps_what_stands_around_it(tmp_path):
    page = tmp_path / "README.md"
    page.write_text("before\n<!-- measured -->\nold\n<!-- /measured -->\nafter\n")
    for _ in range(2):
        write_table([MET, MISSED], {"date": "2026-11-21", "cores": 2, "architecture": "x", "python": "3.11"}, page=page)

    text = page.read_text()
    assert text.startswith("before\n<!-- measured -->\n")
    assert text.endswith("<!-- /measured -->\nafter\n")
    assert "old" not in text
    assert "| makespan | ours | 1.02 | 1.01..1.03 of 3 | <= 1.02 | met | waves 3.4 |" in text
    assert "- *makespan*, waves: waits for the slowest" in text


def test_a_page_without_a_place_for_the_table_is_left_as_it_is(tmp_path):
    page = tmp_path / "README.md"
    page.write_text("nothing\n")
    with pytest.raises(ValueError, match="does not hold"):
        write_table([MET], {}, page=page)
    assert page.read_text() == "nothing\n"


def test_rows_are_read_as_they_were_stored(tmp_path):
    store("x", [MET, MISSED, PLAIN], folder=tmp_path, clock=ManualClock())

    assert stored_rows("x", folder=tmp_path) == [MET, MISSED, PLAIN]
    assert stored_rows("never", folder=tmp_path) == []


def test_stored_rows_replace_those_of_the_same_name_and_leave_the_others(tmp_path):
    store("bench", [MET, PLAIN], folder=tmp_path, clock=ManualClock())
    path = store("bench", [Row("makespan", "ours", Spread.of([2.0])), MISSED], folder=tmp_path, clock=ManualClock())
    rows = json.loads(path.read_text(encoding="utf-8"))["rows"]

    assert [(row["figure"], row["by"], row["measured"]["median"]) for row in rows] == [
        ("makespan", "ours", 2.0),
        ("requests", "ours", 619.7),
        ("makespan", "waves", 3.4),
    ]
    assert rows[2]["target"] == {"relation": "<=", "value": 1.02}
    assert (rows[2]["verdict"], rows[0]["verdict"]) == ("MISSED", None)


def test_stored_rows_say_on_what_machine_and_when_but_not_its_name(tmp_path):
    path = store("bench", [PLAIN], folder=tmp_path, clock=ManualClock())
    [row] = json.loads(path.read_text(encoding="utf-8"))["rows"]

    assert set(row["machine"]) == {"cores", "architecture", "python", "date"}
    assert row["machine"]["date"] == "2026-11-21"


def bars(**more):
    return bar_chart("A < B", [Bar("ours & theirs", 1.1, ours=True), Bar("waves", 203.0)], axis="ratio", **more)


def lines():
    return line_chart("Use", [Line("ours", [(0, 0), (10, 5)]), Line("b", [(0, 5)])], x_axis="min", y_axis="%", most=10)


@pytest.mark.parametrize("svg", [bars(), bars(log=True, target=1.15, subtitle="5 seeds"), lines()])
def test_a_chart_is_well_formed_titled_and_fits_dark_pages(svg):
    root = fromstring(svg)

    assert root.tag == f"{SVG}svg"
    assert root.find(f"{SVG}title").text in ("A < B", "Use")
    assert "prefers-color-scheme: dark" in root.find(f"{SVG}style").text


def test_the_same_figures_give_the_same_bytes(tmp_path):
    first = write_chart("one", bars(log=True), folder=tmp_path).read_bytes()

    assert write_chart("two", bars(log=True), folder=tmp_path).read_bytes() == first


def test_bars_are_as_long_as_their_values():
    root = fromstring(bar_chart("t", [Bar("a", 10.0), Bar("b", 5.0)], axis="s"))
    widths = [float(rect.get("width")) for rect in root.iter(f"{SVG}rect") if "bar" in rect.get("class")]

    assert widths[0] == pytest.approx(2 * widths[1], abs=0.2)


def test_logarithmic_bars_grow_by_the_same_length_for_each_factor_of_ten():
    root = fromstring(bar_chart("t", [Bar("a", 1000.0), Bar("b", 100.0), Bar("c", 1.0)], axis="s", log=True))
    widths = [float(rect.get("width")) for rect in root.iter(f"{SVG}rect") if "bar" in rect.get("class")]

    assert widths[0] == pytest.approx(1.5 * widths[1], abs=0.2)
    assert widths[2] == 1


def test_every_line_is_drawn_and_named_in_the_key():
    root = fromstring(lines())

    assert len(list(root.iter(f"{SVG}polyline"))) == 2
    assert {"ours", "b"} <= {text.text for text in root.iter(f"{SVG}text")}


def test_more_lines_than_colours_are_refused():
    with pytest.raises(ValueError, match="6 lines"):
        line_chart("t", [Line("l", [(0, 1)])] * 6, x_axis="x", y_axis="y")
