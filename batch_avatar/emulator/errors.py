"""An error answer, and the five body shapes in which this family of services has been seen to send errors."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from batch_avatar.emulator.faults import Shape
    from batch_avatar.emulator.options import Generation

OWN_SHAPES: dict[Generation, Shape] = {"2024": "ga", "3.1": "preview_flat"}
"""The documented shape of each generation."""

_PREVIEW_CODES: dict[str, tuple[str, str | None]] = {
    "BadRequest": ("InvalidRequest", "InvalidParameter"),  # D: the page size example of the audio docs
    "InternalServerError": ("InternalServerError", "UnexpectedError"),  # O: speech-sdk issue 2285
    "Forbidden": ("Forbidden", None),  # O: the answer that free resources got
    # U: assumed to be like Forbidden
    "MethodNotAllowed": ("MethodNotAllowed", None),
    "NotFound": ("NotFound", None),
    "RequestEntityTooLarge": ("RequestEntityTooLarge", None),
    "ServiceUnavailable": ("ServiceUnavailable", None),
    "TooManyRequests": ("TooManyRequests", None),
    "UnsupportedMediaType": ("UnsupportedMediaType", None),
}
"""Outer and inner code in 3.1-preview1. Every other code is sent as an inner code of InvalidRequest."""


@dataclass
class ApiError(Exception):
    """An error of the API. It may be raised anywhere in the emulator and becomes one HTTP answer."""

    status: int
    code: str
    message: str
    shape: Shape = "ga"
    target: str | None = None
    retry_after_seconds: float | None = None
    details: list[dict[str, Any]] = field(default_factory=list)
    more_headers: dict[str, str] = field(default_factory=dict)

    def speak(self, generation: Generation) -> Self:
        """Give this error the shape of a generation, unless it already has another shape; return it."""
        if self.shape == "ga":
            self.shape = OWN_SHAPES[generation]
        return self

    def headers(self) -> dict[str, str]:
        """Return the headers that this error adds to those of every answer."""
        headers = {"content-type": "application/json; charset=utf-8"} | self.more_headers
        if self.shape != "preview_flat":  # documented for 2024-08-01 only
            headers["x-ms-error-code"] = self.code
        if self.shape == "storage_xml":
            headers["content-type"] = "application/xml"
        elif self.shape == "problem_details":
            headers["content-type"] = "application/problem+json; charset=utf-8"
        if self.retry_after_seconds is not None:
            headers["retry-after"] = str(math.ceil(self.retry_after_seconds))
        return headers

    def body(self, trace_id: str = "00-0-0-00") -> bytes:
        """Return the body in this error's shape."""
        if self.shape == "storage_xml":
            text = (
                '<?xml version="1.0" encoding="utf-8"?>\n<Error>'
                f"<Code>{escape(self.code)}</Code><Message>{escape(self.message)}</Message></Error>"
            )
            return text.encode()
        return json.dumps(self._json(trace_id)).encode()

    def _json(self, trace_id: str) -> dict[str, Any]:
        if self.shape == "gateway":
            return {"error": {"code": str(self.status), "message": self.message}}
        if self.shape == "preview_flat":
            outer, inner = _PREVIEW_CODES.get(self.code, ("InvalidRequest", self.code))
            flat = {"code": outer, "message": self.message}
            return flat | ({"innerError": {"code": inner, "message": self.message}} if inner else {})
        if self.shape == "problem_details":
            return {
                "errors": {self.target or "": [self.message]},
                "type": "https://tools.ietf.org/html/rfc7231#section-6.5.1",
                "title": "One or more validation errors occurred.",
                "status": self.status,
                "traceId": trace_id,
            }
        error: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.target is not None:
            error["target"] = self.target
        if self.details:
            error["details"] = self.details
        return {"error": error}


def bad_request(message: str, *, target: str | None = None) -> ApiError:
    """Return the error for a request that is refused for its content."""
    return ApiError(400, "BadRequest", message, target=target)
