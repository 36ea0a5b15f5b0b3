"""The generations of the API, and what each of them can do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from batch_avatar.service.wire.avatar_2024 import KNOWN_VERSIONS, Avatar2024
from batch_avatar.service.wire.preview_3_1 import AvatarPreview31

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from batch_avatar.models import Script, SynthesisJob
    from batch_avatar.service.wire.messages import JobPage, WireRequest


class Wire(Protocol):
    """One generation of the API. Paths are relative to the endpoint; bodies are the bytes that are sent."""

    api_version: str
    service_names_jobs: bool
    """Whether the service chooses the ids, so that a job is found again by its display name, in the list."""

    def check(self, script: Script) -> Iterator[str]:
        """Yield, in words, what of the script this generation does not support."""
        ...

    def encode_create(
        self, script: Script, *, job_id: str, description: str, inputs: Sequence[str] = ()
    ) -> WireRequest:
        """Encode a create. `inputs`, if given, are spoken in place of the script's own content."""
        ...

    def encode_get(self, service_id: str) -> WireRequest: ...
    def encode_list(self, *, skip: int = 0) -> WireRequest: ...
    def encode_delete(self, service_id: str) -> WireRequest: ...
    def decode_job(self, body: object, *, observed_at: datetime) -> SynthesisJob:
        """Return the job; raise ValueError if the body is no job."""
        ...

    def decode_page(self, body: object, *, observed_at: datetime) -> JobPage:
        """Return the page; raise ValueError if the body is no page."""
        ...


def is_known(api_version: str) -> bool:
    """Return whether the service had this api-version when this was written."""
    return api_version in (AvatarPreview31.api_version, *KNOWN_VERSIONS)


def wire_for(api_version: str) -> Wire:
    """Return the generation of an api-version; one that is not known is taken for the last one."""
    return AvatarPreview31() if api_version == AvatarPreview31.api_version else Avatar2024(api_version)
