"""Take each rule of "never pay twice, never lose a video" out of a copy of the code, and see its test fail.

    python tests/chaos/rules.py [NUMBER...]

Prints, for each rule, the test and what it said without the rule. Ends with 1 if a test passes without its rule.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
COPIED = ("batch_avatar", "flows", "tasks", "tests", "deployments", "examples", "pyproject.toml")
POINTS = "tests/chaos/test_points.py::test_a_process_that_fell_behind_another_does_no_harm"
PACKS = "tests/chaos/test_packs.py::"
TWICE = "tests/pipeline/test_never_twice.py::"


@dataclass(frozen=True)
class Rule:
    """`edits`: file below `batch_avatar/`, what stands there, what stands there without the rule."""

    number: str
    text: str
    test: str
    edits: tuple[tuple[str, str, str], ...]


RULES = (
    Rule(
        "1",
        "who loses the conditional write of the claim does not create",
        f"{POINTS}[after-claim-2024-08-01-replace]",
        (
            (
                "archive/ledger.py",
                "        except LostRace:\n            return None\n        return Held(claim, etag, 0.0)",
                '        except LostRace:\n            etag = "*"\n        return Held(claim, etag, 0.0)',
            ),
        ),
    ),
    Rule(
        "1p",
        "a script whose claim another run has is no input of a pack",
        f"{PACKS}test_a_process_with_packs_that_fell_behind_another_does_no_harm[between-claims-alone-replace]",
        (
            (
                "rendering/packs/submission.py",
                (
                    "                    del self._draft.scripts[name]\n"
                    "                    self._draft.held.pop(name, None)\n"
                ),
                "                    continue\n",
            ),
        ),
    ),
    Rule(
        "2a",
        "a claim is taken over only when it is old",
        "tests/chaos/test_holders.py",
        (
            (
                "planning/decision.py",
                "if seen.held.age_seconds > rules.claim_seconds else Move.WAIT",
                "if True else Move.WAIT",
            ),
        ),
    ),
    Rule(
        "2b",
        "a holder sends only in the first half of its claim's time",
        f"{POINTS}[before-create-2024-08-01-conflict]",
        (
            (
                "rendering/claims.py",
                "if not 0 <= (c.clock.now() - written_at).total_seconds() < c.settings.claim_seconds / 2:",
                "if False:",
            ),
        ),
    ),
    Rule(
        "3",
        "an absent job means: look for the receipt before anything else",
        f"{POINTS}[during-wait-2024-08-01-conflict]",
        (
            (
                "rendering/archiving.py",
                "    receipt = c.archive.read_receipt(ref.script_id, ref.content_id)\n    if receipt",
                "    receipt = None\n    if receipt",
            ),
            (
                "rendering/archiving.py",
                "if held is not None and (receipt := rescue_receipt(c.archive, held.claim)) is not None:",
                "if False:",
            ),
        ),
    ),
    Rule(
        "4",
        "a create without an answer is settled by looking before it goes again",
        f"{TWICE}test_a_create_whose_answer_is_lost_is_looked_for_before_it_goes_again",
        (
            (
                "rendering/submission.py",
                "                    sends += 1\n",
                (
                    "                    sends += 1\n"
                    "                    held, move = await self._carry_out(Move.SEND, Seen(held, None, None, LOOKS))\n"
                    "                    continue\n"
                ),
            ),
        ),
    ),
    Rule(
        "4p",
        "a pack that may have been sent is looked for before it goes again, also after an outage",
        f"{PACKS}test_a_create_of_a_pack_that_goes_wrong_makes_one_job_in_the_end[answer lost, then an outage]",
        (
            (
                "rendering/packs/submission.py",
                "if self._draft.unclear is not None and (job := await self._found(self._draft.unclear)) is not None:",
                "if (job := None) is not None:",
            ),
        ),
    ),
    Rule(
        "4q",
        "the name of a pack is never sent by one of its scripts",
        "tests/unit/rendering/packs/test_submission.py"
        "::test_a_pack_of_which_another_run_has_a_part_by_now_is_not_sent_again_and_the_rest_goes_alone",
        (
            (
                "planning/decision.py",
                "claim.holder == rules.holder and not claim.last.input:",
                "claim.holder == rules.holder:",
            ),
        ),
    ),
    Rule(
        "5",
        "only what is dead is replaced",
        f"{TWICE}test_a_stuck_job_that_cannot_be_deleted_is_never_replaced_and_archived_when_it_ends_after_all",
        (
            (
                "rendering/giving_up.py",
                "await c.control(resource.client.delete, ref.service_id)\n    await",
                "pass\n    await",
            ),
            ("planning/decision.py", "if seen.job is not None:", "if seen.job is not None and not claim.last.over:"),
        ),
    ),
    Rule(
        "6a",
        "a job is deleted only after its receipt",
        "tests/chaos/test_points.py::test_what_a_killed_process_left_is_finished_by_the_next"
        "[between-receipt-and-delete-2024-08-01-conflict]",
        (
            (
                "rendering/walk.py",
                "            receipt = await self._archived(ref)\n        except AlreadyArchived",
                (
                    "            await self._c.control(slot.resource.client.delete, ref.service_id)\n"
                    "            receipt = await self._archived(ref)\n        except AlreadyArchived"
                ),
            ),
        ),
    ),
    Rule(
        "6b",
        "a failed job is deleted only if it is still the one that failed",
        f"{TWICE}test_a_job_that_took_the_place_of_the_failed_one_is_not_deleted",
        (("rendering/giving_up.py", "if proof.internal_id != job.internal_id:", "if False:"),),
    ),
    Rule(
        "6p",
        "a pack is deleted only when every input of it is settled",
        f"{PACKS}test_a_run_of_some_of_its_scripts_leaves_a_pack_to_the_others",
        (
            (
                "rendering/packs/members.py",
                "        if member.script_id not in known and not await c",
                "        if False and not await c",
            ),
        ),
    ),
    Rule(
        "7",
        "what is there is not overwritten, and two writers' blocks never mix",
        "tests/unit/archive/test_transfer.py",
        (
            ("archive/transfer.py", "secrets.token_hex(8)", '"0" * 16'),
            ("archive/transfer.py", "match_condition=MatchConditions.IfMissing,", ""),
        ),
    ),
    Rule(
        "8",
        "jobs of others are not touched",
        "tests/unit/planning/test_reconciliation.py::test_a_job_of_another_archive_is_no_extra_of_ours",
        (
            (
                "planning/reconciliation.py",
                "if parsed is not None and (archive_of(job.description) == archive_id or parsed[0] in of_other_marks):",
                "if parsed is not None:",
            ),
        ),
    ),
    Rule(
        "9",
        "paid and gone is lost, not new",
        "tests/pipeline/test_permits.py::test_a_lost_script_is_sent_again_only_on_request_and_the_receipt_tells_why",
        (
            (
                "rendering/submission.py",
                "if not await self._given_up(held.claim) and not self._run.permits.rerender_lost:",
                "if False:",
            ),
        ),
    ),
    Rule(
        "10",
        "many changed scripts need a word",
        "tests/pipeline/test_permits.py::test_more_changes_than_are_usual_are_refused_and_the_other_scripts_go_on",
        (("planning/changes.py", "too_many = changed > max_changed", "too_many = False"),),
    ),
    Rule(
        "11",
        "where the service chooses the ids, absence settles before a create goes again",
        f"{TWICE}test_where_the_service_names_the_jobs_a_lost_answer_is_not_sent_again_while_the_list_may_lag",
        (
            (
                "planning/decision.py",
                "if seen.looks < LOOKS or (by_name and seen.absent_seconds < rules.settle_seconds):",
                "if False:",
            ),
        ),
    ),
)


def main(wanted: list[str]) -> int:
    missed = 0
    with tempfile.TemporaryDirectory(prefix="rules-") as folder:
        for rule in RULES:
            if not wanted or rule.number in wanted or rule.number.rstrip("abpq") in wanted:
                missed += not _bites(rule, Path(folder) / rule.number)
    sys.stdout.write(f"{missed} of the tests passed without their rule\n" if missed else "every test needs its rule\n")
    return int(bool(missed))


def _bites(rule: Rule, folder: Path) -> bool:
    """Whether the test fails without the rule; tells what it said."""
    folder.mkdir()
    for name in COPIED:
        source = ROOT / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, folder / name)
    (folder / "node_modules").symlink_to(ROOT / "node_modules")
    for file, there, without in rule.edits:
        path = folder / "batch_avatar" / file
        text = path.read_text(encoding="utf-8")
        if text.count(there) != 1:
            sys.stdout.write(f"rule {rule.number}: {file} has changed, say anew how to take the rule out\n")
            return False
        path.write_text(text.replace(there, without), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", "--no-header", "-p", "no:cacheprovider", rule.test],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    said = [line[1:].strip() for line in done.stdout.splitlines() if line.startswith("E  ")]
    verdict = "failed" if done.returncode == 1 else f"DID NOT FAIL (pytest ended with {done.returncode})"
    sys.stdout.write(f"rule {rule.number}: {rule.text}\n  {rule.test}\n  without it: {verdict}\n")
    for line in said[:4] or done.stdout.splitlines()[-3:]:
        sys.stdout.write(f"    {line[:160]}\n")
    sys.stdout.flush()
    return done.returncode == 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
