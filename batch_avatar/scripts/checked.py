"""Check drafts one after another: valid scripts go to disk, and faults and warnings are kept."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from batch_avatar.errors import ManifestError
from batch_avatar.scripts.drafts import LONGEST_NAME, check_draft
from batch_avatar.scripts.findings import found, refusals, warnings
from batch_avatar.scripts.spool import ScriptSpool

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from batch_avatar.scripts.voices import Known
    from batch_avatar.service.wire.generations import Wire


@dataclass
class Checked:
    """Checks drafts (a script's members and their place) one by one: scripts go to disk, faults stay in memory."""

    wire: Wire
    known: Known | None = None
    scripts: ScriptSpool = field(default_factory=ScriptSpool)
    faults: list[str] = field(default_factory=list)
    drafts: int = 0
    first: dict[str, str] = field(default_factory=dict)
    folded: dict[str, str] = field(default_factory=dict)

    def take(self, where: str, values: Mapping[str, Any]) -> None:
        self.drafts += 1
        script, findings = check_draft(values, wire=self.wire, known=self.known)
        name = script.script_id if script else str(values.get("script_id") or "")[:LONGEST_NAME]
        if script is not None:
            if script.script_id in self.first:
                findings.append(found("id-taken", f"script_id is taken by {self.first[script.script_id]}"))
            self.first.setdefault(script.script_id, where)
            other = self.folded.setdefault(script.script_id.casefold(), script.script_id)
            if other != script.script_id:
                text = f"it differs from {other} in case only; on many disks copies of both would be one"
                findings.append(found("id-case", text))
        findings = [finding.at(where, name) for finding in findings]
        self.faults.extend(map(str, refusals(findings)))
        if script is not None and not self.faults:  # after the first fault nothing will be sent
            self.scripts.add(script, warnings(findings))

    def finish(self, faults: Sequence[str]) -> ScriptSpool:
        """Return the scripts.

        Raises:
            ManifestError: with every fault; `faults`, those of files, come before those of scripts.
        """
        faults = [*faults, *self.faults]
        if not self.scripts and not faults:
            faults.append("no scripts")
        if faults:
            self.scripts.close()
            raise ManifestError(faults)
        return self.scripts
