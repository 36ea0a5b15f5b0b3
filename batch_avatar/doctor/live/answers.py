"""An answer: the reading that was found, and what was seen of it; or why there is none. Values."""

from __future__ import annotations

from dataclasses import dataclass

from batch_avatar.doctor.live.questions import BY_ID, OTHER, QUESTIONS

NOT_REACHED = "the run ended before"


@dataclass(frozen=True)
class Evidence:
    """What one request got. No value of a header, no link and no id is in it; texts are redacted before."""

    doing: str
    status: int | None = None
    code: str = ""
    message: str = ""
    headers: tuple[str, ...] = ()
    """Names of headers."""
    note: str = ""


@dataclass(frozen=True)
class Answer:
    """To one question. Without a reading `why` says why it is not answered."""

    question: str
    reading: str | None
    evidence: tuple[Evidence, ...] = ()
    why: str = ""


def found(question: str, reading: str, *evidence: Evidence) -> Answer:
    """Return an answer. Raise ValueError if the question has no such reading."""
    readings = BY_ID[question].readings
    if readings and reading != OTHER and reading not in readings:
        raise ValueError(f"{question} has no reading {reading}")
    return Answer(question, reading, evidence)


def unanswered(question: str, why: str, *evidence: Evidence) -> Answer:
    return Answer(BY_ID[question].id, None, evidence, why)


def completed(answers: dict[str, Answer]) -> tuple[Answer, ...]:
    """Return an answer to every question, in the order of the questions. Pure."""
    missing = {question.id: unanswered(question.id, question.never or NOT_REACHED) for question in QUESTIONS}
    return tuple((missing | answers)[question.id] for question in QUESTIONS)
