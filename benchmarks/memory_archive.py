"""The archive's ledger in memory. Conditional writes behave as in `archive.ledger.Archive`.

Documents are text in a database in SQLite's own memory, so that they do not count as memory of the core, as they would
not if they were in a container.
"""

from __future__ import annotations

import json
import sqlite3
from typing import TYPE_CHECKING, TypeVar

from pydantic import BaseModel

from batch_avatar.archive.index import ArchiveIndex, claim_metadata, letter_metadata, receipt_metadata
from batch_avatar.archive.ledger import Held
from batch_avatar.archive.records import Claim, DeadLetter, Pack
from batch_avatar.receipt import Receipt

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from batch_avatar.clock import Clock
    from batch_avatar.models import JobRef

Document = TypeVar("Document", bound=BaseModel)


class MemoryArchive:
    """An archive for one thread. It holds no videos, only the fact that they exist."""

    archive_id = "bec4bec4bec4bec4"

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._blobs = sqlite3.connect(":memory:", isolation_level=None)
        self._blobs.execute(
            "create table blobs (name text primary key, etag integer, written real, text text, metadata text)"
        )

    def prefix_of(self, ref: JobRef | Receipt | Claim) -> str:
        return f"{ref.script_id}/{ref.content_id}/"

    def create_claim(self, claim: Claim) -> Held | None:
        new = self._create(f"{self.prefix_of(claim)}claim.json", claim, claim_metadata(claim))
        return Held(claim, "1", 0.0) if new else None

    def replace_claim(self, held: Held, claim: Claim) -> Held | None:
        replaced = self._blobs.execute(
            "update blobs set etag = etag + 1, written = ?, text = ?, metadata = ? where name = ? and etag = ?",
            (
                self._clock.monotonic(),
                claim.model_dump_json(),
                json.dumps(claim_metadata(claim)),
                f"{self.prefix_of(claim)}claim.json",
                int(held.etag),
            ),
        )
        return Held(claim, str(int(held.etag) + 1), 0.0) if replaced.rowcount else None

    def read_claim(self, script_id: str, content_id: str) -> Held | None:
        found = self._blobs.execute(
            "select text, etag, written from blobs where name = ?", (f"{script_id}/{content_id}/claim.json",)
        ).fetchone()
        if found is None:
            return None
        text, etag, written = found
        return Held(Claim.model_validate_json(text), str(etag), self._clock.monotonic() - written)

    def read_receipt(self, script_id: str, content_id: str) -> Receipt | None:
        return self._read(Receipt, f"{script_id}/{content_id}/receipt.json")

    def write_receipt(self, receipt: Receipt) -> Receipt:
        """Write a receipt unless there is one; return the one that counts. Its video exists from now on."""
        name = f"{self.prefix_of(receipt)}receipt.json"
        if self._create(name, receipt, receipt_metadata(receipt)):
            self._put(receipt.video.blob_name, "")
            return receipt
        return self._read(Receipt, name) or receipt

    def write_pack(self, pack: Pack) -> None:
        self._create(f"_packs/{pack.pack_id}.json", pack, {})

    def read_pack(self, pack_id: str) -> Pack | None:
        return self._read(Pack, f"_packs/{pack_id}.json")

    def read_dead_letter(self, content_id: str) -> DeadLetter | None:
        return self._read(DeadLetter, f"_failed/{content_id}.json")

    def write_dead_letter(self, letter: DeadLetter) -> DeadLetter:
        self._put(
            f"_failed/{letter.ref.content_id}.json", letter.model_dump_json(by_alias=True), letter_metadata(letter)
        )
        return letter

    def delete_dead_letter(self, content_id: str) -> None:
        self._blobs.execute("delete from blobs where name = ?", (f"_failed/{content_id}.json",))

    def write_report(self, run: str, pieces: Iterable[str]) -> None:
        self._put(f"_runs/{run}/report.json", "".join(pieces))

    def index(self, script_ids: Sequence[str] | None = None) -> ArchiveIndex:
        """Return an index of the whole archive. The real ledger reads less for a few scripts."""
        del script_ids
        index = ArchiveIndex()
        for name, metadata in self._blobs.execute("select name, metadata from blobs order by name"):
            index.enter(name, json.loads(metadata))
        return index

    def _create(self, name: str, document: BaseModel, metadata: Mapping[str, str]) -> bool:
        """Write a document unless there is one; return whether it was written."""
        written = self._blobs.execute(
            "insert or ignore into blobs values (?, 1, ?, ?, ?)",
            (name, self._clock.monotonic(), document.model_dump_json(by_alias=True), json.dumps(metadata)),
        )
        return bool(written.rowcount)

    def _put(self, name: str, text: str, metadata: Mapping[str, str] | None = None) -> None:
        self._blobs.execute(
            "insert or replace into blobs values (?, 1, ?, ?, ?)",
            (name, self._clock.monotonic(), text, json.dumps(metadata or {})),
        )

    def _read(self, kind: type[Document], name: str) -> Document | None:
        found = self._blobs.execute("select text from blobs where name = ?", (name,)).fetchone()
        return None if found is None else kind.model_validate_json(found[0])
