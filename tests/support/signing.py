"""Signed links into containers of the user's own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from azure.storage.blob import generate_container_sas

if TYPE_CHECKING:
    from azure.storage.blob import ContainerClient


def signed_url(container: ContainerClient, *, hours=1.0, permission="rwdl", **options) -> str:
    """The container's URL with a signature, as the service takes it for a destination."""
    signature = generate_container_sas(
        container.account_name,
        container.container_name,
        account_key=container.credential.account_key,
        permission=permission,
        expiry=datetime.now(UTC) + timedelta(hours=hours),
        **options,
    )
    return f"{container.url}?{signature}"
