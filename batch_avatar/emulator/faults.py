"""Fault rules: which request or job fails, how often, and what goes wrong. Rules are serialisable and counted.

A seed decides the draws of rules that fire with a probability.
"""

from __future__ import annotations

import random
import re
import threading
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

if TYPE_CHECKING:
    from collections.abc import Sequence

Operation = Literal["create", "get", "list", "delete", "operation", "download"]
Shape = Literal["ga", "preview_flat", "problem_details", "gateway", "storage_xml"]


def _check_expression(member: str, expression: str | None) -> None:
    try:
        re.compile(expression or "")
    except re.error as error:
        raise ValueError(f"{member} is no regular expression: {error}") from error


class _Action(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Status(_Action):
    """Answer with an error. With `after_effect` the request does its work first."""

    kind: Literal["status"] = "status"
    status: int = Field(ge=400, le=599)
    code: str = "InternalServerError"
    message: str = "The emulator was told to fail."
    shape: Shape | None = None
    """The shape of the request's generation when left out."""
    retry_after_seconds: float | None = None
    """Real seconds. The header carries them unscaled."""
    after_effect: bool = False


class DropBefore(_Action):
    """Close the connection without an answer; the request had no effect."""

    kind: Literal["drop_before"] = "drop_before"


class DropAfter(_Action):
    """Close the connection without an answer after the request has done its work."""

    kind: Literal["drop_after"] = "drop_after"


class Garbage(_Action):
    """Answer with a wrong body, and with the request's own status (200 instead of 204) unless `status` is set."""

    kind: Literal["garbage"] = "garbage"
    body: Literal["html", "truncated_json", "empty", "not_an_object"] = "html"
    status: int | None = None


class Change(_Action):
    """Answer with other members in the job, or in each job of a list that `matching` finds."""

    kind: Literal["change"] = "change"
    members: dict[str, Any] = Field(min_length=1)
    """Any JSON by name; a dot leads into an object, as in `properties.sizeInBytes`. Text may hold lone surrogates."""
    matching: str | None = None
    """A regular expression that must be found in the id or the display name of a job."""

    @model_validator(mode="after")
    def _finds(self) -> Change:
        _check_expression("matching", self.matching)
        return self


class Cut(_Action):
    """Announce the whole length, send only this fraction of the body, and close the connection."""

    kind: Literal["cut"] = "cut"
    fraction: float = Field(default=0.5, ge=0, lt=1)


class Delay(_Action):
    """Wait real seconds before the request does its work."""

    kind: Literal["delay"] = "delay"
    seconds: float = Field(ge=0)


class Slow(_Action):
    """Send the body of a download at no more than this many bytes per real second."""

    kind: Literal["slow"] = "slow"
    bytes_per_second: int = Field(ge=1)


class FailJob(_Action):
    """End the job as Failed, with a summary that names the failure."""

    kind: Literal["fail_job"] = "fail_job"
    code: str = "InternalServerError"
    message: str = "The synthesis failed."


class FailInputs(_Action):
    """Fail some inputs of a job and render the others. The rule matches only jobs that have such an input."""

    kind: Literal["fail_inputs"] = "fail_inputs"
    inputs: tuple[Annotated[int, Field(ge=1)], ...] = ()
    """Numbers of the inputs that fail, from 1, as in the names of the videos."""
    matching: str | None = None
    """A regular expression. Inputs whose content it finds fail."""
    code: str = "InvalidRequest"
    message: str = "The input could not be synthesized."

    @model_validator(mode="after")
    def _names_some(self) -> FailInputs:
        if not self.inputs and self.matching is None:
            raise ValueError("fail_inputs needs inputs or matching")
        _check_expression("matching", self.matching)
        return self

    def hits(self, number: int, content: str) -> bool:
        """Return whether the input with this number and content fails."""
        return number in self.inputs or (self.matching is not None and re.search(self.matching, content) is not None)


class AbortJob(_Action):
    """Let the job time out in the queue: it ends Failed with the one code seen in public, and nothing is rendered."""

    kind: Literal["abort_job"] = "abort_job"
    after_seconds: float = Field(default=1800.0, ge=0)
    """Service seconds that the job stays NotStarted (O: more than 30 minutes)."""


class StickJob(_Action):
    """Keep the job in one status until it is released; `release_after_seconds` (service time) does so by itself."""

    kind: Literal["stick_job"] = "stick_job"
    status: Literal["NotStarted", "Running"] = "NotStarted"
    release_after_seconds: float | None = Field(default=None, ge=0)


class EndJob(_Action):
    """Render the job as usual, and show another status at its end (U: which statuses there are beside the four)."""

    kind: Literal["end_job"] = "end_job"
    status: str = Field(default="PartiallySucceeded", min_length=1)
    result: Literal["there", "gone", "hidden"] = "there"
    """Whether the job shows its result: with a link that answers, with a link to nothing, or not at all."""
    code: str | None = None
    """When set, the job shows an error with this code and `message` as well."""
    message: str = "The synthesis has ended oddly."


RequestAction = Status | DropBefore | DropAfter | Garbage | Change | Cut | Delay | Slow
JobAction = FailJob | FailInputs | AbortJob | StickJob | EndJob
JOB_KINDS = frozenset({"fail_job", "fail_inputs", "abort_job", "stick_job", "end_job"})


class FaultRule(BaseModel):
    """One rule. The first matching rule that fires decides; faults of jobs and of requests are chosen separately."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    operation: Operation | Literal["any"]
    action: Annotated[RequestAction | JobAction, Field(discriminator="kind")]
    job_id: str | None = None
    """A regular expression that must be found in the job's id. In 3.1-preview1 it is also searched in the display
    name; a create there has no id yet, so only the display name is searched. A list request has neither and matches
    only rules without `job_id`."""
    probability: float = Field(default=1.0, ge=0, le=1)
    skip_first: int = Field(default=0, ge=0)
    at_most: int | None = Field(default=None, ge=0)

    @model_validator(mode="after")
    def _fits(self) -> FaultRule:
        if self.action.kind in JOB_KINDS and self.operation != "create":
            raise ValueError("a job fault is chosen at create: operation must be 'create'")
        if self.action.kind == "slow" and self.operation != "download":
            raise ValueError("slow is for downloads")
        _check_expression("job_id", self.job_id)
        return self


class Faults:
    """The rules in force, and how often each of them matched and fired."""

    def __init__(self, rules: Sequence[FaultRule] = (), *, seed: int = 0) -> None:
        self._lock = threading.Lock()
        self._random = random.Random(seed)  # noqa: S311 - reproducible, not secret
        self.replace(rules)

    def replace(self, rules: Sequence[FaultRule]) -> None:
        """Replace all rules. The counts of the new ones start at zero."""
        with self._lock:
            self._rules = tuple(rules)
            self._matched = [0] * len(rules)
            self._fired = [0] * len(rules)

    def for_request(self, operation: str, *names: str | None) -> RequestAction | None:
        """Choose what goes wrong with a request about a job with these names; None if nothing does."""
        action = self._fire(operation, names)
        return None if isinstance(action, JobAction) else action

    def for_job(self, name: str, contents: Sequence[str] = ()) -> JobAction | None:
        """Choose what goes wrong with a job that is being accepted with these inputs; None if nothing does."""
        action = self._fire("create", (name,), contents)
        return action if isinstance(action, JobAction) else None

    def report(self) -> list[dict[str, Any]]:
        """Return the rules with their counts."""
        with self._lock:
            return [
                {"rule": rule.model_dump(mode="json"), "matched": matched, "fired": fired}
                for rule, matched, fired in zip(self._rules, self._matched, self._fired, strict=True)
            ]

    def _fire(
        self, operation: str, names: tuple[str | None, ...], contents: Sequence[str] | None = None
    ) -> RequestAction | JobAction | None:
        """Let the first matching rule fire: a job rule when `contents` is given, otherwise a request rule."""
        with self._lock:
            for index, rule in enumerate(self._rules):
                if (rule.action.kind in JOB_KINDS) is (contents is None) or not _matches(rule, operation, names):
                    continue
                if isinstance(rule.action, FailInputs) and not _hits_any(rule.action, contents or ()):
                    continue
                self._matched[index] += 1
                if self._matched[index] <= rule.skip_first:
                    continue
                if rule.at_most is not None and self._fired[index] >= rule.at_most:
                    continue
                if rule.probability < 1 and self._random.random() >= rule.probability:
                    continue
                self._fired[index] += 1
                return rule.action
        return None


def _matches(rule: FaultRule, operation: str, names: tuple[str | None, ...]) -> bool:
    if rule.operation not in ("any", operation):
        return False
    return rule.job_id is None or any(name is not None and re.search(rule.job_id, name) for name in names)


def _hits_any(action: FailInputs, contents: Sequence[str]) -> bool:
    return any(action.hits(number, content) for number, content in enumerate(contents, start=1))
