"""Reach the Prefect server from the tools of this folder, with time limits, and never start one by accident."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import httpx
from prefect.client.orchestration import get_client

from batch_avatar.errors import SettingsError
from batch_avatar.settings import prefect_api_url
from tasks.prefect_secrets import know_secrets

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from prefect.client.orchestration import PrefectClient

POOL = "batch-avatar"
TAG = "batch-avatar"
"""Every flow run of our deployments carries it (prefect.yaml)."""
REQUEST_SECONDS = 10.0  # for one answer; a busy server with SQLite was seen to take 2


@asynccontextmanager
async def open_client() -> AsyncIterator[PrefectClient]:
    """Yield a client of the configured server.

    Raises:
        SettingsError: no server is configured; Prefect would start one of its own, and all done there would be lost.
    """
    if prefect_api_url() is None:
        raise SettingsError("PREFECT_API_URL is not set: the address of the Prefect server, http://<host>:4200/api")
    know_secrets()
    async with get_client(httpx_settings={"timeout": httpx.Timeout(REQUEST_SECONDS)}) as client:
        yield client
