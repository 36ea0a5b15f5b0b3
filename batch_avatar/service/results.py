"""Opens a result at its own host, without a credential: the link carries its signature."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from batch_avatar.errors import LinkExpired, ResultLost, TransferError
from batch_avatar.service.exchange import CONNECT_SECONDS
from batch_avatar.service.session import NO_ANSWER, NoAuth
from batch_avatar.service.time_limit import time_limit

if TYPE_CHECKING:
    from collections.abc import Iterator

    import requests

OUTPUT_SECONDS = 3600.0  # for one answer of a result's host; a transfer has a deadline of its own beside it


@contextmanager
def open_result(
    session: requests.Session, sas_url: str, *, offset: int, etag: str | None, timeout_seconds: float, seconds: float
) -> Iterator[requests.Response]:
    """Stream a result from its link, starting at byte `offset` of the version `etag`; no redirect is followed.

    `seconds`: from the beginning of the request to the end of the answer. `timeout_seconds`: until the head of the
    answer is there, and thereafter without a byte.

    Raises:
        LinkExpired: the link is refused; read the job again for a new one.
        ResultLost: there is no such blob.
        TransferError: any other trouble, which may pass.
    """
    headers = {"Accept-Encoding": "identity"}
    if offset and etag:
        headers |= {"Range": f"bytes={offset}-", "If-Match": etag}
    try:
        with time_limit(seconds, head_seconds=timeout_seconds):
            response = session.get(
                sas_url,
                stream=True,
                timeout=(CONNECT_SECONDS, timeout_seconds),
                headers=headers,
                auth=NoAuth(),
                allow_redirects=False,
            )
    except (*NO_ANSWER, UnicodeError) as error:  # the name of its class, as its text may hold the signed link
        raise TransferError(f"the result's host does not answer ({type(error).__name__})") from None
    with response:
        match response.status_code:
            case 200 | 206:
                yield response
            case 401 | 403:
                raise LinkExpired("the result's link is refused; it may have expired")
            case 404:
                raise ResultLost("the result is not in the service's storage")
            case status:
                raise TransferError(f"the result's host answers {status}")
