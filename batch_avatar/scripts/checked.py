"""Check drafts one after another: valid scripts go to disk, and faults and warnings are kept."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from batch_avatar.errors import ManifestError
from batch_avatar.scripts.content.members import LONGEST_NAME
from batch_avatar.scripts.defaults import Defaults, Mistakes, placed
from batch_avatar.scripts.drafts import check_draft, mistakes_of
from batch_avatar.scripts.findings import Finding, found, refusals, told_faults, warnings
from batch_avatar.scripts.spool import ScriptSpool

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from batch_avatar.scripts.findings import Place
    from batch_avatar.scripts.voices import Known
    from batch_avatar.service.wire.generations import Wire


@dataclass
class Checked:
    """Checks drafts (a script's members and their place) one by one: scripts go to disk, faults stay in memory.

    `with_defaults`: whether members that look like a script's own may come from defaults.
    """

    wire: Wire
    known: Known | None = None
    with_defaults: bool = False
    scripts: ScriptSpool = field(default_factory=ScriptSpool)
    faults: list[Finding] = field(default_factory=list)
    drafts: int = 0
    first: dict[str, Place] = field(default_factory=dict)
    folded: dict[str, str] = field(default_factory=dict)
    of_defaults: dict[Defaults, Mistakes] = field(default_factory=dict)
    told: set[Finding] = field(default_factory=set)

    def take(self, place: Place, own: Mapping[str, Any], defaults: Defaults) -> None:
        """Check the script that says `own` of itself, and gets the rest from defaults."""
        self.drafts += 1
        values = defaults.given_to(own)
        script, findings = check_draft(values, own=() if self.with_defaults else own, wire=self.wire, known=self.known)
        name = script.script_id if script else str(values.get("script_id") or "")[:LONGEST_NAME]
        if script is not None:
            if script.script_id in self.first:
                findings.append(found("id-taken", f"script_id is taken by {self.first[script.script_id]}"))
            self.first.setdefault(script.script_id, place)
            other = self.folded.setdefault(script.script_id.casefold(), script.script_id)
            if other != script.script_id:
                text = f"it differs from {other} in case only; on many disks copies of both would be one"
                findings.append(found("id-case", text))
        if findings:
            findings = self._news(placed(findings, self._mistakes_of(defaults), place, name))
        self.faults.extend(refusals(findings))
        if script is not None and not self.faults:
            self.scripts.add(script, warnings(findings))
        else:  # after the first fault nothing will be sent
            self.scripts.warnings.extend(warnings(findings))

    def _mistakes_of(self, defaults: Defaults) -> Mistakes:
        if defaults not in self.of_defaults:
            self.of_defaults[defaults] = mistakes_of(defaults, wire=self.wire, known=self.known)
        return self.of_defaults[defaults]

    def _news(self, findings: Sequence[Finding]) -> list[Finding]:
        """Return the findings without those of defaults that were told before, for another script."""
        news = [finding for finding in findings if finding.script_id or finding not in self.told]
        self.told.update(finding for finding in news if not finding.script_id)
        return news

    def finish(self, faults: Sequence[Finding]) -> ScriptSpool:
        """Return the scripts.

        Raises:
            ManifestError: with every fault; `faults`, those of files, come before those of scripts.
        """
        faults = [*faults, *self.faults]
        if not self.scripts and not faults:
            faults.append(found("nothing-to-read", "no scripts"))
        if faults:
            self.scripts.close()
            raise ManifestError(faults, told=told_faults(faults), warnings=self.scripts.warnings)
        return self.scripts
