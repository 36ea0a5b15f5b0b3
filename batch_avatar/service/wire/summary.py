"""What summary.json says, in either generation. Its casing is mixed and its failure entries are undocumented."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from batch_avatar.service.wire.messages import decode_billing

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class SummaryResult:
    """The result of one input. Only the base name of `videoFileName` is right (seen in the documents' examples).

    Only 3.1-preview1 gives `billing` here; its job object in turn leaves out the seconds of video.
    """

    status: str | None
    video_file_name: str | None
    error: str | None
    billing: dict[str, int]


def decode_summary(body: bytes) -> tuple[SummaryResult, ...]:
    """Return the results in input order.

    Raises:
        ValueError: the bytes are no summary.
    """
    try:
        value = json.loads(body)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if not isinstance(value, dict) or not isinstance(value.get("results", []), list):
        raise ValueError("not a summary")  # noqa: TRY004 - one error for every unreadable body
    return decode_results(value)


def decode_results(summary: Mapping[str, Any]) -> tuple[SummaryResult, ...]:
    """Return the results of a summary that is parsed already; none if it has none."""
    results = summary.get("results")
    return tuple(_result(item) for item in results if isinstance(item, dict)) if isinstance(results, list) else ()


def _result(item: dict[str, object]) -> SummaryResult:
    name = item.get("videoFileName")
    error = item.get("error")
    if isinstance(error, dict):
        error = ": ".join(str(error[key]) for key in ("code", "message") if error.get(key))
    return SummaryResult(
        status=str(item["status"]) if item.get("status") else None,
        video_file_name=PurePosixPath(name).name if isinstance(name, str) else None,
        error=str(error) if error else None,
        billing=decode_billing(item.get("billingDetails")),
    )
