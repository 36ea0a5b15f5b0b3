"""Translate the storage SDK's errors into this package's; every call to our storage runs inside `archive_errors`."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    HttpResponseError,
    ServiceRequestError,
    ServiceResponseError,
)

from batch_avatar.errors import ArchiveRefused, ArchiveUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator


BROKEN_OFF = "BrokenOff"
"""Our code for an answer that broke off and that the SDK gave up on."""


@contextmanager
def archive_errors(action: str) -> Iterator[None]:
    """Translate the errors that are left after the caller has handled those it expects.

    Raises:
        ArchiveUnavailable: no answer, 408, 429 or 5xx.
        ArchiveRefused: any other refusal, with the storage's own code.
    """
    try:
        yield
    except (ServiceRequestError, ServiceResponseError) as error:
        raise ArchiveUnavailable(f"cannot {action}: the storage does not answer ({type(error).__name__})") from None
    except ClientAuthenticationError as error:
        raise ArchiveRefused(_said(action, error), code=storage_code(error)) from None
    except HttpResponseError as error:
        status = error.status_code or 0
        if not status:
            raise ArchiveUnavailable(_said(action, error), code=BROKEN_OFF) from None
        passing = status in (408, 429) or status >= 500  # noqa: PLR2004 - HTTP statuses
        kind = ArchiveUnavailable if passing else ArchiveRefused
        raise kind(_said(action, error), code=storage_code(error)) from None
    except AzureError as error:
        raise ArchiveUnavailable(f"cannot {action}: {type(error).__name__}") from None


def _said(action: str, error: HttpResponseError | ClientAuthenticationError) -> str:
    first_line = (error.message or "").splitlines()[:1]
    return f"cannot {action}: {first_line[0] if first_line else error.status_code}"


def storage_code(error: AzureError) -> str | None:
    """Return the storage's own code for the refusal, e.g. ContainerNotFound; the SDK sets it untyped."""
    code = getattr(error, "error_code", None)
    return str(getattr(code, "value", code)) if code else None
