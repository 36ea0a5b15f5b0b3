"""Read the files of the catalogue. A run goes on without a file that is broken, with one warning."""

from __future__ import annotations

import logging
import tomllib
from datetime import date
from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, Field

FOLDER = Path(__file__).parent / "data"
MONTH = r"^2\d{3}-(0[1-9]|1[0-2])$"

Name = Annotated[str, Field(pattern=r"^[a-z0-9]+([ .-][a-z0-9]+)*$")]
Names = tuple[Name, ...]

logger = logging.getLogger(__name__)


class Strict(BaseModel):
    """A part of a file, in which nothing is taken that we do not know."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Entry(Strict):
    """A fact of the service. `source` names the document that says so, `seen` is the day of that document."""

    source: Annotated[str, Field(min_length=1)]
    seen: date


File = TypeVar("File", bound=Strict)


def parse(text: str, kind: type[File]) -> File:
    """Return the content of a file.

    Raises:
        ValueError: it is not TOML, or not as `kind` describes it.
    """
    return kind.model_validate(tomllib.loads(text))


def load(name: str, kind: type[File], folder: Path = FOLDER) -> File:
    """Return the content of a file; of one that is broken or missing, with a warning, what `kind` has by default."""
    try:
        return parse((folder / name).read_text(encoding="utf-8"), kind)
    except (OSError, ValueError, RecursionError) as error:
        reason = " ".join(str(error).split())
        logger.warning("%s of the catalogue cannot be read, so nothing is checked against it: %s", name, reason)
        return kind()
