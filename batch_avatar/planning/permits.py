"""What a person allows a run to pay for, and what it shall leave alone."""

from __future__ import annotations

from pydantic import Field

from batch_avatar.models import Written


class Permits(Written):
    """The words of a person. Without them archived, failed and lost scripts are not sent again."""

    revision: int = Field(default=0, ge=0, le=999)
    """The revision at which every script shall be archived; asking for one revision twice renders it once."""
    retry_failed: bool = False
    """Send scripts again that have a dead letter."""
    rerender_lost: bool = False
    """Send scripts again that were paid for and are gone, or that have a receipt but no video."""
    accept_changes: bool = False
    """Render changed scripts, however many there are, and those of which only the look changed."""
    keep_changed: bool = False
    """Leave archived scripts of which only the look changed as they are, also where changes are accepted."""
    allow_long: bool = False
    """Send scripts whose video is predicted to be far longer than the service makes them."""

    def with_setting(self, *, keep_changed: bool) -> Permits:
        """Return the permits with the setting for all runs, which counts less than a word for this run."""
        kept = self.keep_changed or (keep_changed and not self.accept_changes)
        return self.model_copy(update={"keep_changed": kept})
