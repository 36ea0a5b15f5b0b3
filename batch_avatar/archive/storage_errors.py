"""Translate the storage SDK's errors into this package's; every call to our storage runs inside `archive_errors`.

What the storage's error codes mean is decided here, and only here, by the table in `storage_answers.py`.
"""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING

from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    HttpResponseError,
    ServiceRequestError,
    ServiceResponseError,
)

from batch_avatar.archive.access.explanations import explanation, step_for
from batch_avatar.archive.storage_answers import Meaning, meaning_of, next_step
from batch_avatar.errors import ArchiveError, ArchiveRefused, ArchiveUnavailable, LostRace, NotThere

if TYPE_CHECKING:
    from collections.abc import Iterator


logger = logging.getLogger(__name__)

NOT_UNDERSTOOD = (AttributeError, LookupError, TypeError, ValueError, RecursionError)
"""What the SDK raises over an answer that is not as the storage writes it (measured with azure-storage-blob 12.31)."""
BROKEN_OFF = "BrokenOff"
"""Our code for an answer that broke off and that the SDK gave up on."""
ONE_BLOB = frozenset({ArchiveRefused.__name__, "BlobArchived", "BlobBeingRehydrated", BROKEN_OFF})
"""Errors of one blob: its content (without a code of the storage), its tier, a broken transfer. Others concern all."""
KINDS: dict[Meaning, type[ArchiveError]] = {
    Meaning.LOST_RACE: LostRace,
    Meaning.NOT_THERE: NotThere,
    Meaning.LATER: ArchiveUnavailable,
    Meaning.REFUSED: ArchiveRefused,
}


@contextmanager
def archive_errors(action: str) -> Iterator[None]:
    """Translate what the storage says; a caller that expects a lost race or an absent blob handles it outside.

    Raises:
        LostRace: the condition of the request is not met, because another writer was first.
        NotThere: there is no such blob or container.
        ArchiveUnavailable: no answer, one that is not a storage's, or a refusal that passes.
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
        code = storage_code(error)
        raise KINDS[meaning_of(code, status)](_said(action, error), code=code) from None
    except AzureError as error:
        raise ArchiveUnavailable(f"cannot {action}: {type(error).__name__}") from None
    except NOT_UNDERSTOOD as error:
        logger.debug("cannot %s", action, exc_info=True)
        raise ArchiveUnavailable(
            f"cannot {action}: the answer is none of a storage ({type(error).__name__}); perhaps it is the page of a "
            "proxy in between"
        ) from None


def _said(action: str, error: HttpResponseError | ClientAuthenticationError) -> str:
    first_line = (error.message or "").splitlines()[:1]
    explained = explanation(getattr(error, "additional_info", None) or {})
    advice = step_for(explained) or next_step(storage_code(error))
    told = (str(first_line[0] if first_line else error.status_code), explained, advice)
    return f"cannot {action}: " + "; ".join(part for part in told if part)


def storage_code(error: AzureError) -> str | None:
    """Return the storage's own code for the refusal, e.g. ContainerNotFound; the SDK sets it untyped."""
    code = getattr(error, "error_code", None)
    return str(getattr(code, "value", code)) if code else None
