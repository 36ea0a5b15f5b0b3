"""Make the secrets in Prefect's settings known, wherever Prefect has them from, so that no text shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prefect.settings import get_current_settings
from pydantic import BaseModel, SecretStr

from batch_avatar.safe_text.redaction import know

if TYPE_CHECKING:
    from collections.abc import Iterator


def know_secrets() -> None:
    """Tell `know` all values that Prefect itself calls secret: passwords, keys, and addresses that hold one."""
    for secret in _secrets(get_current_settings()):
        know(secret)
        if "://" not in secret:
            know(secret.partition(":")[2])  # the password alone, of `user:password`


def _secrets(settings: BaseModel) -> Iterator[str]:
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        if isinstance(value, SecretStr):
            yield value.get_secret_value()
        elif isinstance(value, BaseModel):
            yield from _secrets(value)
