"""Tell those who listen what happens; one of them that fails harms nobody else."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import ParamSpec

P = ParamSpec("P")

logger = logging.getLogger(__name__)


class Listeners(list[Callable[P, None]]):
    """Functions that are called with what happens. The first failure of each is logged, and nothing else follows."""

    def __init__(self) -> None:
        super().__init__()
        self._failed: set[int] = set()

    def tell(self, *args: P.args, **kwargs: P.kwargs) -> None:
        for listener in tuple(self):
            try:
                listener(*args, **kwargs)
            except Exception:
                if id(listener) not in self._failed:
                    self._failed.add(id(listener))
                    name = getattr(listener, "__qualname__", type(listener).__qualname__)
                    logger.exception("the listener %s failed; the run goes on, and this is logged once", name)
