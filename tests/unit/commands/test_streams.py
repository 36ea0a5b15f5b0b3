"""Streams write no secret that is known, in however many pieces it comes."""

from __future__ import annotations

import io

import pytest

from batch_avatar.commands.terminal.streams import LastingText
from batch_avatar.safe_text.redaction import know

SECRET = "c4n4ry0123456789"


@pytest.fixture
def stream():
    know(SECRET)
    return LastingText(io.BytesIO(), encoding="utf-8", write_through=True)


def written(stream):
    return stream.buffer.getvalue().decode()


@pytest.mark.parametrize("at", range(len(SECRET) + 1))
def test_a_secret_that_comes_in_two_pieces_is_not_shown(stream, at):
    for piece in (f"key {SECRET[:at]}", f"{SECRET[at:]}!\n"):
        assert stream.write(piece) == len(piece)

    assert written(stream) == "key REDACTED!\n"


def test_a_secret_that_comes_letter_by_letter_is_not_shown(stream):
    stream.writelines(f"key {SECRET}, {SECRET}\n")

    assert written(stream) == "key REDACTED, REDACTED\n"


def test_what_only_begins_like_a_secret_is_shown_as_soon_as_it_goes_on_otherwise(stream):
    stream.write(f"key {SECRET[:5]}")
    assert written(stream) == "key "
    stream.write("x")
    assert written(stream) == f"key {SECRET[:5]}x"


@pytest.mark.parametrize("end", ["flush", "close", "detach"])
def test_nothing_is_left_behind_at_the_end(stream, end):
    file = stream.buffer
    file.close = lambda: None  # which would forget what it holds
    stream.write(f"key {SECRET[:5]}")
    getattr(stream, end)()

    assert file.getvalue().decode() == f"key {SECRET[:5]}"


def test_a_line_is_shown_at_once(stream):
    stream.write("c\n")

    assert written(stream) == "c\n"
