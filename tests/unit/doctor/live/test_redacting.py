"""What a service says, as a report for others may hold it."""

import pytest

from batch_avatar.doctor.live.redacting import header_names, told


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("The inputs is required.", "The inputs is required."),
        ("The inputs.content is required.", "The inputs.content is required."),
        ("The api-version 2099-01-01 is not supported.", "The api-version 2099-01-01 is not supported."),
        ("Please retry after 30 seconds.", "Please retry after 30 seconds."),
        ("see https://x.blob.core.windows.net/a?sig=b now", "see <link> now"),
        ("at contoso.cognitiveservices.azure.com:443 it", "at <host> it"),
        ("at contoso.com it", "at <host> it"),
        ("subscription 7f3a9c1e-52b0-4c4d-9e11-0123456789ab is", "subscription <id> is"),
        ("key c4n4ryk3y0f0neresource00000000ff is", "key <id> is"),
        ("the job 'episode of others' exists", "the job '<value>' exists"),
        ("the member 'videoCodec' is", "the member 'videoCodec' is"),
        ("two\nlines", r"two\nlines"),
    ],
)
def test_words_stay_and_names_go(said, kept):
    assert told(said) == kept


def test_what_is_to_be_hidden_goes_in_any_case():
    assert told("The resource Contoso-Speech is busy", ["contoso-speech", "co"]) == "The resource <hidden> is busy"
    assert told("4127 bytes of 127.0.0.1", ["127"]) == "4127 bytes of <hidden>.0.0.1"


def test_a_long_text_is_cut():
    assert told("word " * 1000).startswith("word word")
    assert len(told("word " * 1000)) <= 350


def test_header_names_are_sorted_and_odd_ones_left_out():
    names = ["Retry-After", "apim-request-id", "X-Ms-Error-Code", "a b", "x-7f3a9c1e52b04c4d9e11"]
    assert header_names(names) == ("apim-request-id", "retry-after", "x-ms-error-code")


def test_a_secret_that_is_cut_off_by_the_length_does_not_stay():
    key = "c4n4ryk3y0f0neresource00000000ff"
    for before in range(1960, 2005):
        assert "c4n4ry" not in told("x " * (before // 2) + key)
