"""A deck gives a script for the notes of each slide, and names what it leaves out."""

import pytest

from tests.unit.scripts.readers.office_files import OFFICE, STRICT, a_run, pptx_parts, shape, write_pptx, write_zip
from tests.unit.scripts.readers.reads import faults, left_out, read, texts


@pytest.mark.parametrize("kind", [OFFICE, STRICT])
@pytest.mark.parametrize("name", ["course.pptx", "course.PPTM"])
def test_the_notes_of_each_slide_are_a_script_in_the_order_of_the_presentation(tmp_path, name, kind):
    deck = write_pptx(tmp_path / name, shape("Welcome.\nHere we go."), shape("Second."), kind=kind)

    assert texts(deck) == {"course/slide-1": "Welcome.\n\nHere we go.", "course/slide-2": "Second."}
    assert left_out(deck) == []


def test_slides_without_notes_and_hidden_ones_are_named_once(tmp_path):
    notes = [shape("One."), None, shape(" \n"), shape("Hidden."), None, shape("Six.")]
    deck = write_pptx(tmp_path / "d.pptx", *notes, hidden=(4, 5))

    assert texts(deck) == {"d/slide-1": "One.", "d/slide-6": "Six."}
    assert left_out(deck) == [
        f"{deck}: left out: slides without notes (slides 2, 3)",
        f"{deck}: left out: hidden slides (slides 4, 5)",
    ]


def test_of_many_slides_without_notes_the_first_are_named(tmp_path):
    deck = write_pptx(tmp_path / "d.pptx", shape("One."), *[None] * 30)

    assert left_out(deck) == [f"{deck}: left out: slides without notes (slides 2, 3, 4, 5, 6 and 25 more)"]


def test_what_else_stands_on_a_page_of_notes_is_not_spoken(tmp_path):
    page = (
        shape("", '<p:ph type="sldImg"/>')
        + shape("3", '<p:ph type="sldNum"/>')
        + shape("Header", '<p:ph type="hdr"/>')
        + shape("Spoken.")
        + shape("A box.", "")
        + shape("", "")
    )
    deck = write_pptx(tmp_path / "d.pptx", page)

    assert texts(deck) == {"d/slide-1": "Spoken."}
    assert left_out(deck) == [f"{deck}: left out: text boxes beside the notes (slide 1)"]


def test_parts_of_a_sentence_stay_together_and_a_broken_line_is_one(tmp_path):
    lines = f"<a:p>{a_run('Hel')}{a_run('lo ')}<a:fld>{a_run('you')}</a:fld><a:br/>{a_run('Next')}</a:p><a:p/>"
    deck = write_pptx(tmp_path / "d.pptx", shape(lines))

    assert texts(deck) == {"d/slide-1": "Hello you\nNext"}


def test_a_fault_names_the_slide(tmp_path):
    deck = write_pptx(tmp_path / "d.pptx", shape("One."), shape("x" * 600_000))

    [fault] = faults(deck)

    assert fault.startswith(f"{deck}, slide 2: d/slide-2: the request has")


def test_a_deck_without_notes_is_refused_and_says_why(tmp_path):
    deck = write_pptx(tmp_path / "d.pptx", None, None)

    assert faults(deck) == [f"{deck}:1: no scripts in it"]


def test_a_deck_that_lacks_a_slide_is_refused(tmp_path):
    parts = pptx_parts([shape("One.")])
    del parts["ppt/_rels/presentation.xml.rels"]

    [fault] = faults(write_zip(tmp_path / "d.pptx", parts))

    assert "d.pptx names a slide that is not in it" in fault


def test_the_defaults_beside_a_deck_hold_for_its_scripts(tmp_path):
    (tmp_path / "defaults.toml").write_text('voice = "other"')
    deck = write_pptx(tmp_path / "d.pptx", shape("One."))

    assert [script.voice for script in read(deck)] == ["other"]
