"""Checks the link to the user's own container: whether the service accepts it, and whether it lets us write."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from azure.core.exceptions import AzureError
from azure.storage.blob import ContainerClient

from batch_avatar.emulator.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Mapping

_TARGET = "Properties.DestinationContainerUrl"
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def _refuse(message: str) -> ApiError:
    """Return the error in the shape that was seen for this member (O)."""
    return ApiError(400, "BadRequest", message, shape="problem_details", target=_TARGET)


def check_destination(url: str | None, storage_certificate: str | None = None) -> datetime | None:
    """Check a destination container and return the real time at which its signature expires; None without a link.

    Raises:
        ApiError: the link is not a writable container link with a signature of its own (D), or has expired (O).
    """
    if not url:
        return None
    parts = urlsplit(url)
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    if parts.scheme not in ("http", "https") or parts.hostname not in _LOOPBACK:
        raise _refuse("The destination container URL is invalid; the emulator writes to this machine only.")
    expiry = _check_signature(query)
    probe = f"emulator-probe-{query['sig'][:8].encode().hex()}"
    try:
        # A block that is never committed proves the right to write and leaves nothing visible.
        with ContainerClient.from_container_url(
            url, retry_total=0, use_env_settings=False, connection_verify=storage_certificate or True
        ) as container:
            container.get_blob_client(probe).stage_block("0000", b"0", length=1)
    except (AzureError, ValueError) as error:
        raise _refuse("The destination container URL cannot be written to.") from error
    return expiry


def _check_signature(query: Mapping[str, str]) -> datetime:
    """Return the expiry of the signature; refuse an expired one and any other kind."""
    if "si" in query:
        raise _refuse("Stored access policies are not supported.")
    if query.get("sr") != "c" or "sp" not in query or "sig" not in query or "se" not in query:
        raise _refuse("The destination container URL must carry a container SAS (sr=c) with sp, se and sig.")
    try:
        expiry = datetime.fromisoformat(query["se"])
    except ValueError as error:
        raise _refuse("The expiry of the SAS cannot be read.") from error
    if expiry.tzinfo is None:
        expiry = expiry.replace(tzinfo=UTC)
    if expiry <= datetime.now(UTC):
        raise _refuse("The SAS of the destination container URL has expired.")
    return expiry
