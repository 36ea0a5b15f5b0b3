"""Read the automations of `automations/*.yaml`, and send their messages through a block."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import yaml  # type: ignore[import-untyped]
from prefect.events.actions import CallWebhook, SendNotification
from prefect.events.schemas.automations import AutomationCore

if TYPE_CHECKING:
    from uuid import UUID

    from prefect.events.actions import ActionTypes

FOLDER = Path(__file__).parent / "automations"
COMPARED = ("description", "tags", "trigger", "actions", "actions_on_trigger", "actions_on_resolve")
"""The members that the files decide. Whether an automation is switched on is decided by people."""


@dataclass(frozen=True)
class Channel:
    """The block that messages go through: a notification block, or a webhook block."""

    block_id: UUID
    is_webhook: bool


def read_automations() -> tuple[AutomationCore, ...]:
    """Return all automations, in the order of their file names; those that send a message have no channel yet."""
    texts = (path.read_text(encoding="utf-8") for path in sorted(FOLDER.glob("*.yaml")))
    return tuple(AutomationCore.model_validate(yaml.safe_load(text)) for text in texts)


def sends_message(automation: AutomationCore) -> bool:
    """Return whether the automation sends a message, and so needs a channel."""
    return any(isinstance(action, SendNotification | CallWebhook) for action in automation.actions)


def channel_of(automation: AutomationCore) -> Channel | None:
    """Return where the messages of an automation on the server go, or None if it sends none."""
    for action in automation.actions:
        if isinstance(action, SendNotification | CallWebhook):
            return Channel(action.block_document_id, is_webhook=isinstance(action, CallWebhook))
    return None


def sent_through(automation: AutomationCore, channel: Channel) -> AutomationCore:
    """Return the automation with its messages sent through the channel."""
    return automation.model_copy(update={"actions": [_addressed(action, channel) for action in automation.actions]})


def _addressed(action: ActionTypes, channel: Channel) -> ActionTypes:
    if not isinstance(action, SendNotification):
        return action
    if not channel.is_webhook:
        return action.model_copy(update={"block_document_id": channel.block_id})
    # `text` is the member that the incoming webhooks of Slack, Teams and Mattermost read. The filter quotes what the
    # templates yield, so that a message with quotes and line ends is still JSON.
    text = f"{{% filter tojson %}}{action.subject}\n\n{action.body}{{% endfilter %}}"
    return CallWebhook(block_document_id=channel.block_id, payload=f'{{"text": {text}}}')


def differing(found: AutomationCore, wanted: AutomationCore) -> list[str]:
    """Return the members in which an automation on the server differs from its file."""
    there, here = found.model_dump(), wanted.model_dump()
    return [member for member in COMPARED if there[member] != here[member]]
