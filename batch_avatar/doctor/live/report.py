"""The report of a live examination as Markdown and as JSON, for people to send. Pure."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from batch_avatar.doctor.live.questions import BY_ID, OTHER
from batch_avatar.doctor.live.spending import MOST_SECONDS
from batch_avatar.safe_text.redaction import redact
from batch_avatar.safe_text.sinks import markdown

if TYPE_CHECKING:
    from batch_avatar.doctor.live.answers import Answer, Evidence
    from batch_avatar.doctor.live.run import LiveReport

NAME = "batch-avatar-live-report"


def as_json(report: LiveReport) -> str:
    """Return the report as JSON, with each question beside its answer."""
    value = asdict(report) | {
        "answers": [{"asks": BY_ID[one.question].asks, **asdict(one)} for one in report.answers],
        "answered": report.answered,
    }
    return redact(json.dumps(value, indent=2)) + "\n"


def as_markdown(report: LiveReport) -> str:
    """Return the report as Markdown: a table of the answers, and what was seen of each."""
    facts = {
        "batch-avatar": report.version,
        "api-version": report.api_version,
        "date": report.date,
        "region": report.region,
        "took": f"{report.minutes:g} min",
        "requests": f"{report.creates} creates, {report.accepted} of them accepted; {report.others} others",
        "billed": f"at most {report.seconds_at_most} of {MOST_SECONDS} seconds; jobs told of {report.seconds_told}",
        "not deleted": ", ".join(report.left) or "nothing",
    }
    lines = ["# Answers of the batch avatar API", ""]
    lines += [f"- {name}: {markdown(value)}" for name, value in facts.items()]
    lines += ["", f"{report.answered} of {len(report.answers)} questions are answered.", ""]
    lines += ["| question | answer | means |", "|---|---|---|"]
    lines += [_row(answer) for answer in report.answers]
    lines += ["", "## What was seen", ""]
    for answer in report.answers:
        if answer.evidence:
            lines += [f"### {answer.question}", "", markdown(BY_ID[answer.question].asks), ""]
            lines += [f"- {_seen(evidence)}" for evidence in answer.evidence]
            lines += [""]
    return redact("\n".join(lines))


def _row(answer: Answer) -> str:
    question = BY_ID[answer.question]
    if answer.reading is None:
        return f"| {question.id}: {markdown(question.asks)} | not answered | {markdown(answer.why)} |"
    usual = "" if question.readings else "as told"
    means = question.readings.get(answer.reading, "see below" if answer.reading == OTHER else usual)
    return f"| {question.id}: {markdown(question.asks)} | {markdown(answer.reading)} | {markdown(means)} |"


def _seen(evidence: Evidence) -> str:
    parts = [
        markdown(evidence.doing),
        str(evidence.status or ""),
        markdown(evidence.code),
        markdown(evidence.message),
        markdown(evidence.note),
        f"headers {', '.join(evidence.headers)}" if evidence.headers else "",
    ]
    return "; ".join(part for part in parts if part)
