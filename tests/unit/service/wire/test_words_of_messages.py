"""By what two messages of the service count as one reason."""

import pytest

from batch_avatar.service.wire.messages import COMPARED, words_of


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ("The Voice is unknown.", "the voice is unknown."),
        ("Input 7 of intro-0123456789abcdef-1 failed at 2026-11-30T21:00:00Z.", "input of failed at"),
        ("The voice 'Joanna' is unknown.", "the voice is unknown."),
        ('The voice "Joanna" is unknown.', "the voice is unknown."),
        ("The voice `Joanna` is unknown.", "the voice is unknown."),
        ("The voice “Joanna” is unknown.", "the voice is unknown."),
        ("The voice ‘Joanna’ is unknown.", "the voice is unknown."),
        ("The voice «Joanna» is unknown.", "the voice is unknown."),
        ("The name 'O'Brien' isn't known.", "the name isn't known."),
        ("The speakers' voices don't fit, 'tis said", "the speakers' voices don't fit,"),
        ("The speaker’s voice doesn’t fit.", "the speaker’s voice doesn’t fit."),
        ('Unexpected "Joanna', "unexpected"),
        ("'a' and 'b' differ", "and differ"),
        ("", ""),
    ],
)
def test_quoted_parts_ids_times_and_numbers_are_left_out(message, words):
    assert " ".join(words_of(message)) == words


def test_a_long_message_is_compared_by_its_whole_words_as_far_as_it_goes():
    long = "very " * COMPARED

    assert set(words_of(long)) == {"very"}
    assert words_of(long) == words_of(f"{long}long")
