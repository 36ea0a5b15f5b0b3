"""The steps of one script as the runner calls them, with or without a flow engine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from batch_avatar.archive.records import Proof
    from batch_avatar.models import JobRef, Script
    from batch_avatar.receipt import Receipt


@dataclass(frozen=True)
class Chain:
    """The plain stages (`retry.plain_chain`), or the stages wrapped in the tasks of a flow engine."""

    submit: Callable[[Script, str], Awaitable[JobRef]]
    wait: Callable[[JobRef], Awaitable[JobRef]]
    archive: Callable[[JobRef], Awaitable[Receipt]]
    delete: Callable[[Proof], Awaitable[None]]
    submit_pack: Callable[[tuple[Script, ...], str], Awaitable[tuple[JobRef, ...]]]
