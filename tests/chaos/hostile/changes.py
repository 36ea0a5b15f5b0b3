"""What can become of an answer of the service: small values, each with a pure function from answer to answer."""

from __future__ import annotations

import gzip
import json
import zlib
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any

from tests.chaos.hostile.road import DRIPS
from tests.support.answering_road import PAGE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.chaos.hostile.road import Answer

DEEP = "@deep@"
"""As a member's value: 100,000 lists, one inside another."""
GONE = "@gone@"
"""As a member's value: the member is not there."""
BOMB_BYTES = 400 * 1024 * 1024
BODIES = {
    "page": PAGE,
    "empty": b"",
    "null": b"null",
    "number": b"5",
    "text": b'"text"',
    "list": b"[]",
    "object": b"{}",
    "words": b"upstream connect error or disconnect/reset before headers",
    "half": b'{"id": "s0-01',
    "deep": b"[" * 100_000 + b"]" * 100_000,
    "deep error": b'{"error":' * 50_000 + b"1" + b"}" * 50_000,
    "surrogate": b'{"error": {"code": "Odd\\ud800", "message": "half a pair \\udfff"}}',
    "odd error": b'{"error": {"code": {"a": 1}, "message": ["b"], "details": 5, "innererror": "c"}}',
    "errors": b'{"errors": [1, {"a": null}], "title": 7, "traceId": []}',
    "long error": b'{"error": {"code": "' + b"A" * 9_000 + b'", "message": "' + b"B" * 90_000 + b'"}}',
    "long number": b'{"id": 1' + b"0" * 6_000 + b"}",
    "xml": b'<?xml version="1.0"?><Error><Code>ServerBusy</Code></Error>',
    "not UTF-8": b'{"id": "\xff\xfe\x80"}',
    "zeros": b"\0" * 64,
}


@dataclass(frozen=True)
class Said:
    """Another status, headers and body in place of the answer."""

    status: int
    body: str = "empty"
    headers: tuple[tuple[str, str], ...] = ()
    after: bool = False

    def of(self, answer: Answer) -> Answer:
        kept = tuple(one for one in answer.headers if one[0].lower() in ("date", "apim-request-id"))
        return replace(answer, status=self.status, body=BODIES[self.body], headers=(*kept, *self.headers))


@dataclass(frozen=True)
class Body:
    """Another body; status and headers stay."""

    body: str
    after: bool = True

    def of(self, answer: Answer) -> Answer:
        return replace(answer.with_header("content-md5", None), body=BODIES[self.body])


@dataclass(frozen=True)
class Header:
    """Another value of a header; None: there is none."""

    name: str
    value: str | None
    after: bool = True

    def of(self, answer: Answer) -> Answer:
        return answer.with_header(self.name, self.value)


@dataclass(frozen=True)
class Arrives:
    how: str
    after: bool = True

    def of(self, answer: Answer) -> Answer:
        body = answer.body.ljust(DRIPS, b" ") if self.how == "drips" else answer.body
        return replace(answer, arrives=self.how, body=body)


@dataclass(frozen=True)
class Encoded:
    """The same words in other bytes."""

    how: str
    after: bool = True

    def of(self, answer: Answer) -> Answer:
        text = answer.body.decode("utf-8", "replace")
        header, body = {
            "gzip bomb": (("Content-Encoding", "gzip"), bomb),
            "gzip": (("Content-Encoding", "gzip"), lambda: gzip.compress(answer.body)),
            "no gzip": (("Content-Encoding", "gzip"), lambda: answer.body),
            "unknown": (("Content-Encoding", "snappy"), lambda: answer.body),
            "BOM": (("Content-Type", "application/json"), lambda: b"\xef\xbb\xbf" + answer.body),
            "UTF-16": (("Content-Type", "application/json"), lambda: text.encode("utf-16")),
            "charset": (("Content-Type", "application/json; charset=klingon"), lambda: answer.body),
        }[self.how]
        return replace(answer.with_header(*header), body=body())


@cache
def bomb() -> bytes:
    """Zeros, compressed a thousandfold."""
    packer = zlib.compressobj(wbits=31)
    piece = bytes(1024 * 1024)
    return b"".join([*(packer.compress(piece) for _ in range(BOMB_BYTES // len(piece))), packer.flush()])


@dataclass(frozen=True)
class Member:
    """Another value at this place of a job, or of a summary; in a list, of all jobs or of the one that `pick` names.

    `only_with`: only of jobs that have such a member.
    """

    place: tuple[str, ...]
    value: Any
    pick: int | None = None
    only_with: str = ""
    after: bool = True

    def of(self, answer: Answer) -> Answer:
        document = read(answer)
        jobs = list(jobs_of(document))
        for job in jobs if self.pick is None or not jobs else [jobs[self.pick % len(jobs)]]:
            if not self.only_with or self.only_with in job:
                put(job, self.place, self.value)
        return written(answer, document)


@dataclass(frozen=True)
class Page:
    """Another value at this place of the page itself."""

    place: str
    value: Any
    after: bool = True

    def of(self, answer: Answer) -> Answer:
        document = read(answer)
        if isinstance(document, dict):
            put(document, (named(document, self.place),), self.value)
        return written(answer, document)


@dataclass(frozen=True)
class Mixed:
    """The jobs of a page in another way: doubled, reversed, outputs swapped, strange things between them."""

    how: str
    after: bool = True

    def of(self, answer: Answer) -> Answer:
        document = read(answer)
        name = named(document, "value") if isinstance(document, dict) else ""
        jobs = document.get(name) if name else None
        if isinstance(jobs, list):
            match self.how:
                case "doubled":
                    document[name] = jobs + jobs
                case "reversed":
                    document[name] = jobs[::-1]
                case "strange":
                    document[name] = [None, 5, "text", [], {}, *jobs, {"id": 5}, {"status": "Running"}]
                case "swapped":
                    done = [job for job in jobs if "outputs" in job]
                    for job, other in zip(done, [one["outputs"] for one in done[::-1]], strict=True):
                        job["outputs"] = other
                case _:  # ids of one are those of the next
                    for job, other in zip(jobs, [one["id"] for one in jobs[1:] + jobs[:1]], strict=True):
                        job["id"] = other
        return written(answer, document)


def read(answer: Answer) -> Any:
    """The JSON of the answer, None if it is none."""
    try:
        return json.loads(answer.body)
    except ValueError:
        return None


def written(answer: Answer, document: Any) -> Answer:
    if document is None:
        return answer
    text = json.dumps(document).replace(f'"{DEEP}"', "[" * 100_000 + "]" * 100_000)
    return replace(answer, body=text.encode())


def named(document: dict[str, Any], name: str) -> str:
    """The name that this generation has for a member of its pages."""
    other = {"value": "values", "nextLink": "@nextLink"}[name]
    return other if other in document or (name == "nextLink" and "values" in document) else name


def jobs_of(document: Any) -> Iterator[dict[str, Any]]:
    """The jobs of a page, or the document itself."""
    if not isinstance(document, dict):
        return
    jobs = document.get("value", document.get("values"))
    if isinstance(jobs, list):
        yield from (job for job in jobs if isinstance(job, dict))
    elif jobs is None:
        yield document


def put(document: dict[str, Any], place: tuple[str, ...], value: Any) -> None:
    *way, last = place
    for name in way:
        inner = document.get(name)
        if isinstance(inner, list):
            inner = inner[0] if inner and isinstance(inner[0], dict) else None
        if not isinstance(inner, dict):
            inner = document[name] = {}
        document = inner
    if value == GONE:
        document.pop(last, None)
    else:
        document[last] = value
