"""The questions that no document answers, and the readings between which an answer decides. Pure data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

OTHER = "other"
"""The reading of an answer that is none of those which were thought of; its evidence says what it was."""


@dataclass(frozen=True)
class Question:
    """A question and its readings, each with what it means. Without readings the answer is a value by itself."""

    id: str
    asks: str
    readings: Mapping[str, str]
    never: str = ""
    """Why it cannot be asked with one short clip; empty for those that are asked."""


_REPEATED = {
    "conflict": "409",
    "bad_request": "400",
    "existing": "201 with the job that is there",
    "replace": "201 with a new job in its place, which is billed again",
}
_STATUS = {"400": "400", "404": "404", "served": "it is served"}
_LIFE = {"refused": "400", "raised": "taken, with another value", "taken": "taken as it is"}

QUESTIONS: tuple[Question, ...] = (
    Question("get_absent", "What does a GET of an absent id get?", {"404": "404", "204": "204 without content"}),
    Question("delete_absent", "What does a DELETE of an absent id get?", {"204": "204", "404": "404"}),
    Question("version_missing", "What does a request without api-version get?", _STATUS),
    Question("version_unknown", "What does a request with an unknown api-version get?", _STATUS),
    Question(
        "page_too_large",
        "What does a list with more than 100 jobs a page get?",
        {"refused": "400", "taken": "200, with a page of at most 100"},
    ),
    Question(
        "unknown_members",
        "Are unknown members of a create ignored or refused?",
        {"ignored": "taken, and not shown", "shown": "taken, and shown with the job", "refused": "400"},
    ),
    Question(
        "smallest_ttl",
        "Is a time to live of one hour accepted?",
        {"taken": "taken as it is", "raised": "taken, with another value", "refused": "400"},
    ),
    Question("get_after_create", "Does a GET show a job at once?", {"shown": "yes", "absent": "not yet"}),
    Question(
        "operation_location",
        "What does the address in Operation-Location answer?",
        {"status": "200 with id and status", "absent": "404", "no_header": "the create has no such header"},
    ),
    Question("list_lag", "Does the list show a new job at once?", {"at_once": "yes", "late": "some seconds later"}),
    Question(
        "created_time",
        "Is createdDateTime the time of the service's Date header?",
        {"right": "within 10 s", "off": "further away"},
    ),
    Question("inputs_shown", "Are the inputs shown with the job?", {"hidden": "no", "shown": "yes"}),
    Question("description_shown", "Is the description shown with the job?", {"shown": "yes", "hidden": "no"}),
    Question(
        "settings_shown",
        "Are avatarConfig and synthesisConfig shown as sent?",
        {
            "as_sent": "yes",
            "other_case": "yes, but some values in another case",
            "changed": "some values differ",
            "hidden": "some are missing",
        },
    ),
    Question(
        "subtitle_member",
        "Where is the link to an external subtitle file?",
        {"subtitle": "outputs.subtitle", OTHER: "another member", "none": "there is none"},
    ),
    Question("link_lifetime", "How long are links valid, by their signature (se less st)?", {}),
    Question(
        "links_minted",
        "Does each GET make new links?",
        {"per_read": "yes", "once": "no, they stay the same"},
    ),
    Question(
        "content_md5",
        "Does the video carry Content-MD5?",
        {"absent": "no", "present": "yes"},
    ),
    Question(
        "size_in_bytes",
        "What does sizeInBytes count?",
        {"videos": "the video alone", "all_outputs": "the summary and the subtitles as well"},
    ),
    Question(
        "summary_texts",
        "How does summary.json repeat the text?",
        {
            "whole": "in texts, as one",
            "sentences": "in texts, by sentences",
            "contents": "in contents, as the audio API does",
            "absent": "not at all",
        },
    ),
    Question(
        "summary_job_id",
        "Which id is jobID in summary.json?",
        {"internal_id": "internalId", "id": "the id of the create", "absent": "there is none"},
    ),
    Question("billing_members", "Which members has billingDetails?", {}),
    Question("repeat_unfinished", "What does a PUT of the id of an unfinished job get?", _REPEATED),
    Question(
        "delete_unfinished",
        "What does a DELETE of an unfinished job get?",
        {"refused": "400", "accepted": "204, and the job is gone"},
    ),
    Question(
        "list_order",
        "In which order does the list have the jobs?",
        {"newest_first": "newest first, by creation", "oldest_first": "oldest first"},
    ),
    Question("repeat_ended", "What does a PUT of the id of a job that has ended get?", _REPEATED),
    Question(
        "operation_id_replay",
        "What does an identical create with the same Operation-Id get?",
        {"first_result": "201 with the first job", "as_new": "what it would get without the header"},
    ),
    Question(
        "codec_mismatch",
        "What does vp9 in mp4 get?",
        {"refused": "400", "accepted": "taken; the evidence says what the job then names"},
    ),
    Question("ttl_too_small", "What does a time to live of 0 hours get?", _LIFE),
    Question("ttl_too_large", "What does a time to live of 745 hours get?", _LIFE),
    Question("body_too_large", "What does a body of more than 500 KB get?", {"400": "400", "413": "413"}),
    Question(
        "refused_creates",
        "Do creates that are refused count towards the limit of creates a minute?",
        {"counted": "yes", "not_counted": "no, if the quota is as the settings say"},
    ),
    Question(
        "rate_limit_answer",
        "What does a create too many get?",
        {
            "retry_after": "429 with Retry-After",
            "rate_headers": "429 with X-RateLimit-... and no Retry-After",
            "bare": "429 with neither",
        },
    ),
    Question(
        "limited_requests",
        "Which requests does that limit count?",
        {"creates": "creates alone", "all": "reads and deletes too"},
    ),
    Question("long_video", "What becomes of a video over 20 minutes?", {}, "it would be billed"),
    Question("failure_entries", "How does summary.json tell a failed input?", {}, "no input fails for certain"),
    Question("partial_failure", "How does a job end when some of its inputs fail?", {}, "no input fails for certain"),
    Question("own_container", "Where in an own container are the outputs?", {}, "it needs a container of yours"),
    Question("own_container_delete", "Does a delete remove them?", {}, "it needs a container of yours"),
    Question("destination_shown", "Is the destination shown with the job?", {}, "it needs a container of yours"),
    Question("job_timeout", "After how long is a waiting job aborted?", {}, "it takes more than half an hour"),
)

BY_ID = {question.id: question for question in QUESTIONS}
