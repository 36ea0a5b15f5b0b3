"""A listener that fails: it is named once, and the others are told all the same."""

import logging

import pytest

from batch_avatar.service.listeners import Listeners


def breaks(_what):
    raise ZeroDivisionError


class Breaks:
    def __call__(self, _what):
        raise ZeroDivisionError


@pytest.mark.parametrize(
    ("listener", "name"), [(breaks, "breaks"), (Breaks(), "Breaks"), (Breaks().__call__, "Breaks.__call__")]
)
def test_a_listener_that_fails_is_named_once_and_the_others_are_told(caplog, listener, name):
    listeners, heard = Listeners(), []
    listeners += [listener, heard.append]

    for number in range(3):
        listeners.tell(number)

    assert heard == [0, 1, 2]
    [record] = caplog.records
    assert (record.levelno, record.getMessage()) == (
        logging.ERROR,
        f"the listener {name} failed; the run goes on, and this is logged once",
    )


def test_a_listener_that_leaves_while_it_is_told_takes_no_other_along():
    listeners, heard = Listeners(), []

    def leaves(_what):
        listeners.remove(leaves)

    listeners += [leaves, heard.append]
    listeners.tell(1)
    listeners.tell(2)

    assert heard == [1, 2]


def test_a_listener_that_ends_the_process_ends_it():
    listeners = Listeners()

    def interrupts():
        raise KeyboardInterrupt

    listeners.append(interrupts)

    with pytest.raises(KeyboardInterrupt):
        listeners.tell()
