"""The storage SDK's errors in this package's words, whichever of them comes."""

from __future__ import annotations

import inspect

import pytest
from azure.core import exceptions

from batch_avatar.archive.storage_errors import archive_errors
from batch_avatar.errors import ArchiveRefused, ArchiveUnavailable

KINDS = [
    kind
    for _, kind in inspect.getmembers(exceptions, inspect.isclass)
    if issubclass(kind, exceptions.AzureError) and kind.__module__ == "azure.core.exceptions"
]


def instance(kind):
    """Also of those whose constructor wants a response."""
    error = kind.__new__(kind)
    Exception.__init__(error, "no answer")
    error.message, error.status_code = "no answer", None
    return error


def raised(error):
    with pytest.raises((ArchiveRefused, ArchiveUnavailable)) as caught, archive_errors("do it"):
        raise error
    return caught.value


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_error_of_the_storage_sdk_has_a_counterpart(kind):
    assert "cannot do it" in str(raised(instance(kind)))


def test_the_storage_sdk_has_the_errors_that_are_counted_on():
    assert len(KINDS) >= 15


def with_status(status):
    error = exceptions.HttpResponseError("said no")
    error.status_code = status
    return error


@pytest.mark.parametrize("status", [None, 408, 429, 500, 503])
def test_what_passes_may_be_tried_again(status):
    assert raised(with_status(status)).retriable


@pytest.mark.parametrize("status", [400, 403, 404, 409, 412])
def test_what_the_storage_refuses_is_not_tried_again(status):
    assert not raised(with_status(status)).retriable
