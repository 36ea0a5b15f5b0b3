"""What it means if a Prefect server does not do what it is asked."""

from __future__ import annotations

from batch_avatar.settings import prefect_api_url

UNAUTHORIZED = 401


def refuses_password(error: Exception) -> bool:
    """Return whether this is the answer of a server that asks for another password, or for one."""
    return getattr(getattr(error, "response", None), "status_code", None) == UNAUTHORIZED


def told(error: Exception) -> str:
    """Return what to tell people of a server that did not answer, or refused."""
    server = f"the Prefect server at {prefect_api_url()}"
    if refuses_password(error):
        return f"{server} refuses the password (401); PREFECT_API_AUTH_STRING must be that of the server"
    return f"{server} does not answer, or refuses: {error!r}"
