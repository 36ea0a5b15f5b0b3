"""Which answers follow from which switches of the emulator, and combinations in which every two values meet."""

from __future__ import annotations

import random
from itertools import combinations

from batch_avatar.emulator.options import EmulatorOptions

DEFAULTS = {
    "get_absent": "404",
    "delete_absent": "204",
    "version_missing": "400",
    "version_unknown": "400",
    "page_too_large": "refused",
    "unknown_members": "ignored",
    "smallest_ttl": "taken",
    "get_after_create": "shown",
    "operation_location": "status",
    "list_lag": "late",
    "created_time": "right",
    "inputs_shown": "hidden",
    "description_shown": "shown",
    "settings_shown": "other_case",
    "subtitle_member": "subtitle",
    "link_lifetime": "72 h 5 min",
    "links_minted": "per_read",
    "content_md5": "absent",
    "size_in_bytes": "videos",
    "summary_texts": "whole",
    "summary_job_id": "internal_id",
    "billing_members": "neuralCharacters, talkingAvatarDurationSeconds",
    "repeat_unfinished": "conflict",
    "delete_unfinished": "refused",
    "list_order": "newest_first",
    "repeat_ended": "conflict",
    "operation_id_replay": "first_result",
    "codec_mismatch": "refused",
    "ttl_too_small": "refused",
    "ttl_too_large": "refused",
    "body_too_large": "400",
    "refused_creates": "counted",
    "rate_limit_answer": "retry_after",
    "limited_requests": "creates",
}

CHANGES = {
    ("get_absent", 204): {"get_absent": "204"},
    ("delete_absent", 404): {"delete_absent": "404"},
    ("bad_version_status", 404): {"version_missing": "404", "version_unknown": "404"},
    ("oversized_page", "clamp"): {"page_too_large": "taken"},
    ("unknown_members", "refuse"): {"unknown_members": "refused"},
    ("smallest_ttl_hours", 24): {"smallest_ttl": "refused"},
    ("ttl_out_of_range", "clamp"): {"ttl_too_small": "raised", "ttl_too_large": "raised"},
    ("list_lag_seconds", 0.0): {"list_lag": "at_once"},
    ("created_shown", 3600.0): {"created_time": "off"},
    ("link_lifetime_seconds", 86400.0): {"link_lifetime": "24 h 5 min"},
    ("links_minted", "once"): {"links_minted": "once"},
    ("content_md5", True): {"content_md5": "present"},
    ("size_in_bytes", "all_outputs"): {"size_in_bytes": "all_outputs"},
    ("summary_texts", "sentences"): {"summary_texts": "sentences"},
    ("summary_texts", "absent"): {"summary_texts": "absent"},
    ("repeat_put", "existing"): {"repeat_unfinished": "existing", "repeat_ended": "existing"},
    ("repeat_put", "replace"): {"repeat_unfinished": "replace", "repeat_ended": "replace"},
    ("repeat_put", "bad_request"): {"repeat_unfinished": "bad_request", "repeat_ended": "bad_request"},
    ("operation_id_replay", "as_new"): {"operation_id_replay": "as_new"},
    ("delete_unfinished", "accept"): {"delete_unfinished": "accepted", "list_order": None},
    ("codec_mismatch", "substitute"): {"codec_mismatch": "accepted"},
    ("oversize_status", 413): {"body_too_large": "413"},
    ("refused_creates_count", False): {"refused_creates": "not_counted", "rate_limit_answer": None},
    ("limited_requests", "all"): {"limited_requests": "all"},
}
"""Value of a switch to the answers that differ by it; None where the question cannot be answered then."""


def expected(options):
    """The reading of every question that is asked."""
    found = dict(DEFAULTS)
    for (switch, value), changes in CHANGES.items():
        if options.get(switch) == value:
            found |= changes
    if options.get("repeat_put") == "existing":
        found["operation_id_replay"] = None  # both readings look alike
    if options.get("ttl_out_of_range") == "clamp" and options.get("smallest_ttl_hours") == 24:
        found["smallest_ttl"] = "raised"
    if options.get("limited_requests") == "all":
        found["rate_limit_answer"] = "retry_after"  # the reads have met it
    return found


IN_TIME = {"get_after_create", "list_lag", "repeat_unfinished", "delete_unfinished", "list_order"}
"""What cannot always be answered where each request waits for its turn."""


def open_questions(options):
    """Questions that may be left open, but not be answered wrongly."""
    return IN_TIME if options.get("limited_requests") == "all" else set()


SWITCHES = {
    name: [EmulatorOptions.model_fields[name].default, *(value for switch, value in CHANGES if switch == name)]
    for name in dict.fromkeys(name for name, _ in CHANGES)
}


def pairs(row):
    """What meets in a combination."""
    return set(combinations(sorted(row.items(), key=lambda item: item[0]), 2))


def covering(seed=0, candidates=200):
    """Combinations of all switches in which every two values of two switches meet; as few as a greedy choice finds."""
    chance = random.Random(seed)
    names = sorted(SWITCHES)
    left = {
        ((one, a), (other, b)) for one, other in combinations(names, 2) for a in SWITCHES[one] for b in SWITCHES[other]
    }
    rows = []
    while left:
        tries = []
        for _ in range(candidates):
            (one, a), (other, b) = chance.choice(sorted(left, key=repr))
            row = {name: chance.choice(SWITCHES[name]) for name in names} | {one: a, other: b}
            tries.append((len(pairs(row) & left), row))
        best = max(tries, key=lambda found: found[0])[1]
        left -= pairs(best)
        rows.append(best)
    return rows
