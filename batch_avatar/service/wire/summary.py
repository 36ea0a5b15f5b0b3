"""What summary.json says, in either generation. Its casing is mixed and its failure entries are undocumented."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from batch_avatar.service.wire.members import decode_text, fold_status, parse_json
from batch_avatar.service.wire.messages import decode_billing

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping


@dataclass(frozen=True)
class SummaryResult:
    """The result of one input. Only the base name of `videoFileName` is right (seen in the documents' examples).

    Only 3.1-preview1 gives `billing` here; its job object in turn leaves out the seconds of video.
    """

    status: str | None
    video_file_name: str | None
    error: str | None
    billing: dict[str, int]
    texts: tuple[str, ...] = ()
    character: str | None = None
    style: str | None = None


@dataclass(frozen=True)
class Summary:
    """A whole summary, its results in input order."""

    job_id: str | None
    results: tuple[SummaryResult, ...]

    @property
    def text(self) -> str:
        """All texts that it repeats, joined."""
        return " ".join(text for result in self.results for text in result.texts)

    @property
    def billing(self) -> dict[str, int]:
        """What it says was billed, summed over its results."""
        billed: Counter[str] = Counter()
        for result in self.results:
            billed.update(result.billing)
        return dict(billed)

    def is_of(self, ids: Collection[str]) -> bool:
        """Return whether it names one of these jobs, or none at all."""
        return self.job_id is None or self.job_id.lower() in {one.lower() for one in ids}


def decode_summary(body: bytes) -> tuple[SummaryResult, ...]:
    """Return the results in input order. Raises as `decode_whole_summary` does."""
    return decode_whole_summary(body).results


def decode_whole_summary(body: bytes) -> Summary:
    """Return all that the summary says.

    Raises:
        ValueError: the bytes are no summary.
    """
    value = parse_json(body)
    if not isinstance(value, dict) or not isinstance(value.get("results", []), list):
        raise ValueError("not a summary")  # noqa: TRY004 - one error for every unreadable body
    job_id = value.get("jobID")
    return Summary(job_id if isinstance(job_id, str) and job_id else None, decode_results(value))


def decode_results(summary: Mapping[str, Any]) -> tuple[SummaryResult, ...]:
    """Return the results of a summary that is parsed already; none if it has none."""
    results = summary.get("results")
    return tuple(_result(item) for item in results if isinstance(item, dict)) if isinstance(results, list) else ()


def _result(item: dict[str, object]) -> SummaryResult:
    name = item.get("videoFileName")
    error = item.get("error")
    named = {key.lower(): value for key, value in item.items()}  # two members begin with a capital
    if isinstance(error, dict):
        error = ": ".join(str(error[key]) for key in ("code", "message") if error.get(key))
    return SummaryResult(
        status=fold_status(str(item["status"])) if item.get("status") else None,
        video_file_name=PurePosixPath(name).name if isinstance(name, str) else None,
        error=decode_text(str(error)) if error else None,
        billing=decode_billing(item.get("billingDetails")) or {},
        texts=_texts(item.get("texts") or item.get("contents")),  # the second name is that of the audio sibling
        character=decode_text(named.get("talkingavatarcharacter")),
        style=decode_text(named.get("talkingavatarstyle")),
    )


def _texts(value: object) -> tuple[str, ...]:
    return tuple(text for text in value if isinstance(text, str)) if isinstance(value, list) else ()
