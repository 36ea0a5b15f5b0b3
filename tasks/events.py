"""Prefect events about scripts and resources, for automations to act on. An event costs the flow run about 0.3 ms."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prefect.events import emit_event

from batch_avatar.models import OutcomeKind
from batch_avatar.safe_text.sinks import name

if TYPE_CHECKING:
    from batch_avatar.errors import Throttled
    from batch_avatar.models import Outcome
    from batch_avatar.rendering.progress import Event
    from batch_avatar.service.resource import Resource

ARCHIVED, FAILED = "batch-avatar.script.archived", "batch-avatar.script.failed"
THROTTLED = "batch-avatar.resource.throttled"
_EVENTS = {OutcomeKind.ARCHIVED: ARCHIVED, OutcomeKind.FAILED: FAILED}
"""Events for outcomes that are news. A script that was archived before, or goes on in the next run, has no event."""


def emit_outcome(event: Event) -> None:
    """Emit the event for a script that has ended; a listener of the run.

    Prefect adds the flow run, its deployment and its tags as related resources.
    """
    outcome = event.outcome
    if outcome is not None and (kind := _EVENTS.get(outcome.outcome)) is not None:
        emit_event(
            event=kind,
            resource={
                "prefect.resource.id": f"batch-avatar.script.{outcome.script_id}",
                "prefect.resource.name": name(outcome.script_id),
            },
            payload=_facts(outcome),
        )


def emit_throttled(resource: Resource, error: Throttled) -> None:
    """Emit the event for a resource that takes no new job for now; a listener of the resource."""
    emit_event(
        event=THROTTLED,
        resource={"prefect.resource.id": f"batch-avatar.resource.{resource.name}"},
        payload={"pause_seconds": round(resource.admission.pause_seconds, 1), "message": str(error)},
    )


def _facts(outcome: Outcome) -> dict[str, object]:
    error = outcome.error
    return {
        "script_id": outcome.script_id,
        "job_id": outcome.job_id,
        "outcome": str(outcome.outcome),
        "video_folder": outcome.blob_prefix,
        "billed_seconds": outcome.billed_seconds,
        "billed_characters": outcome.billed_characters,
        "error_class": error.failure_class if error else None,
        "code": error.code if error else None,
        "message": error.message if error else None,
    }
