"""The ways to sign in that start a program, such as `az`, are tried at once: each takes seconds to say that it cannot.

Their order stays: of those that give a token, the first one counts, as in azure-identity's own chain.
"""

from __future__ import annotations

import logging
import threading
from contextvars import copy_context
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from azure.core.credentials import AccessToken
    from azure.identity import ChainedTokenCredential

PROGRAMS = ("AzureCliCredential", "AzurePowerShellCredential", "AzureDeveloperCliCredential")
"""The classes of azure-identity that start one: `az`, `pwsh` and `azd`. Each has ten seconds."""


def at_once(chain: ChainedTokenCredential) -> ChainedTokenCredential:
    """Return the same chain, which tries the programs in it at once."""
    logging.getLogger("azure.identity").setLevel(logging.ERROR)  # it warns in a dozen lines of what we say in one
    group = _Group([one for one in chain.credentials if type(one).__name__ in PROGRAMS])
    chain.credentials = tuple(_named(one, group) if one in group.inner else one for one in chain.credentials)
    return chain


def _named(inner: Any, group: _Group) -> Program:
    """Return it under the name of its class, by which the library tells what it has tried."""
    named: Program = type(type(inner).__name__, (Program,), {})(inner, group)
    return named


class Program:
    """One of the programs, in its place in the chain."""

    def __init__(self, inner: Any, group: _Group) -> None:
        self._inner = inner
        self._group = group

    def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        """Return a token, or raise what the program's own class raises."""
        return self._group.token_of(self._inner, partial(_ask, scopes=scopes, options=options))

    def close(self) -> None:
        """Nothing is open."""


class _Answer:
    def __init__(self) -> None:
        self.there = threading.Event()
        self.token: Any = None
        self.error: Exception | None = None


class _Group:
    """What the programs say in one round. A round begins with the first of them; who asks is alone, as `Tokens` is."""

    def __init__(self, inner: Sequence[Any]) -> None:
        self.inner = inner
        self._answers: list[_Answer] = []
        self._proven: Any = None

    def token_of(self, inner: Any, ask: partial[AccessToken]) -> AccessToken:
        if inner is self._proven:
            return ask(inner)
        number = self.inner.index(inner)
        if number == 0 or not self._answers:
            self._answers = [_Answer() for _ in self.inner]
            for answer, one in zip(self._answers, self.inner, strict=True):
                work = partial(copy_context().run, _note, answer, partial(ask, one))
                threading.Thread(target=work, daemon=True).start()
        answer = self._answers[number]
        answer.there.wait()
        if answer.error is not None:
            raise answer.error
        self._proven = inner
        token: AccessToken = answer.token
        return token


def _ask(inner: Any, *, scopes: Sequence[str], options: dict[str, Any]) -> AccessToken:
    token: AccessToken = inner.get_token(*scopes, **options)
    return token


def _note(answer: _Answer, ask: partial[AccessToken]) -> None:
    try:
        answer.token = ask()
    except Exception as error:  # noqa: BLE001 - whoever waits for it raises it
        answer.error = error
    finally:
        answer.there.set()
