"""Answers of a hostile service, as Hypothesis draws them.

Left out is what no client can tell from the truth: a job that is said to have failed, a create that is said to be
refused though it was accepted, another id in a create of 3.1-preview1. What happens by itself at times (a job that is
not found, a result that is not there) comes once only: two such answers are believed.
"""

from __future__ import annotations

from hypothesis import strategies as st

from tests.chaos.arena import GA
from tests.chaos.hostile.changes import (
    BODIES,
    DEEP,
    GONE,
    Arrives,
    Body,
    Encoded,
    Header,
    Member,
    Mixed,
    Page,
    Said,
)
from tests.chaos.hostile.road import FOR_EVER, Mischief

RETRY_AFTER = (
    "0", "-5", "1e3", "86400", "100000000000000", "0.5", "soon", "", "\xb2", "1,2", "inf", "nan",
    "Fri, 31 Dec 99999 23:59:59 GMT", "Mon, 01 Jan 0001 00:00:00 +2300", "Fri, 31 Dec 9999 23:59:59 -2300",
    "Sun, 06 Nov 1994 08:49:37 GMT", "9" * 5_000,
)  # fmt: skip
DATES = (
    None, "", "now", "Mon, 01 Jan 0001 00:00:00 GMT", "Fri, 31 Dec 9999 23:59:59 -2300",
    "Tue, 30 Feb 2026 00:00:00 GMT", "Sun, 06 Nov 1994 08:49:37 GMT", "Fri, 31 Dec 99999 23:59:59 GMT",
    "Thu, 01 Jan 2099 00:00:00 GMT",
)  # fmt: skip
TIMES = (
    "", "0001-01-01T00:00:00Z", "0001-01-01T00:00:00+23:00", "9999-12-31T23:59:59-23:00", "2020-01-01T00:00:00",
    "2020-01-01T00:00:00.1234567Z", "2099-01-01T00:00:00Z", "2026-02-30T00:00:00Z", "yesterday", "1e400", 0, -1, 1e308,
    None, [], {}, True, GONE, DEEP,
)  # fmt: skip
NUMBERS = ("x", "", None, -1, 0, 1.5, 1e308, float("inf"), float("nan"), 10**30, [], {}, True, "12", GONE, DEEP)
TEXTS = (None, 7, [], {}, True, "", "x" * 9_000, "\ud800", "\u00fc\u4e2d", "a\nb: c\r\n", "\x00", GONE, DEEP)
ODD = (None, "text", [], 7, True, {}, [{}], {"a": {"b": []}}, GONE, DEEP)
STATUSES = (
    "PartiallySucceeded", "Completed", "Paused", "succeeded", "SUCCEEDED", "running", "Running", "NotStarted", "", " ",
    None, 7, [], {}, True, "x" * 9_000, "\ud800", GONE, DEEP,
)  # fmt: skip
LINKS = (
    "http://[", "https://[::1", "http://169.254.169.254/latest/meta-data", "http://10.0.0.1:1/x", "https://[::1]/x",
    "file:///etc/passwd", "ftp://x/y", "javascript:alert(1)", "//", "", "/relative", "http://", "https://u:p@/x",
    "http://127.0.0.1:99999/x", "http://127.0.0.1:0/x", "https://exa mple/x", "http://\ud800/x", "data:,x", None, 7, [],
    {}, GONE, DEEP,
)  # fmt: skip
NEXT = (
    *LINKS,
    "?skip=0",
    "?api-version=2024-08-01&skip=0&maxpagesize=0",
    "https://other.example/avatar/batchsyntheses",
)
INTERNAL = (None, 7, [], "x" * 9_000, "\ud800", GONE, DEEP)
SUMMARIES = (
    Member(("jobID",), "another"), Member(("jobID",), 7), Member(("jobID",), GONE), Member(("status",), ["x"]),
    Member(("results",), None), Member(("results",), {}), Member(("results",), [None, 5]), Member(("results",), DEEP),
    Member(("results", "texts"), 5), Member(("results", "texts"), [None]), Member(("results", "texts"), ["Others."]),
    Member(("results", "texts"), GONE), Member(("results", "videoFileName"), "../../x"),
    Member(("results", "videoFileName"), 7), Member(("results", "status"), "Failed"), Member(("results", "error"), [1]),
)  # fmt: skip
TELLING = ("create", "get", "list", "delete")
FILES = ("result", "summary", "subtitle")

few = st.integers(1, 3)
skips = st.sampled_from((0, 0, 1, 2, 5))
picks = st.one_of(st.none(), st.integers(0, 5))
often = st.sampled_from((1, 2, 4, 8, FOR_EVER, FOR_EVER))
bodies = st.sampled_from(sorted(BODIES))


def mischief(operations, changes, times=few):
    return st.builds(Mischief, operation=st.sampled_from(operations), change=changes, skip=skips, times=times)


def waits(statuses):
    """Refusals that say how long to wait."""
    headers = st.sampled_from(RETRY_AFTER).map(lambda value: (("Retry-After", value),))
    return st.builds(Said, status=st.sampled_from(statuses), body=bodies, headers=headers)


elsewhere = st.sampled_from(LINKS).filter(lambda link: isinstance(link, str) and link.isascii() and "@" not in link)
redirects = st.builds(
    Said,
    status=st.sampled_from((301, 302, 307, 308)),
    headers=elsewhere.map(lambda link: (("Location", link),)),
    after=st.booleans(),
)
unclear = st.builds(
    Said, status=st.sampled_from((200, 202, 206, 299, 408, 500, 501, 502, 503, 504, 511, 599)), body=bodies,
    after=st.booleans(),
)  # fmt: skip
refusals = st.builds(
    Said,
    status=st.sampled_from((400, 401, 402, 403, 405, 406, 407, 410, 411, 413, 415, 422, 429, 431, 451)),
    body=bodies,
)
members = st.one_of(
    st.builds(Member, st.just(("status",)), st.sampled_from(STATUSES), picks),
    st.builds(Member, st.just(("status",)), st.just("Failed"), picks, st.just("outputs")),
    st.builds(Member, st.sampled_from([("createdDateTime",), ("lastActionDateTime",)]), st.sampled_from(TIMES), picks),
    st.builds(
        Member,
        st.sampled_from([("properties", "sizeInBytes"), ("properties", "durationInMilliseconds"),
                         ("properties", "succeededCount"), ("properties", "billingDetails", "neuralCharacters"),
                         ("properties", "billingDetails", "talkingAvatarDurationSeconds")]),
        st.sampled_from(NUMBERS),
        picks,
    ),
    st.builds(
        Member,
        st.sampled_from([("properties",), ("properties", "error"), ("properties", "error", "code"), ("error",),
                         ("properties", "billingDetails"), ("synthesisConfig",), ("avatarConfig",), ("customVoices",),
                         ("inputs",)]),
        st.sampled_from(ODD),
        picks,
    ),
    st.builds(Member, st.just(("internalId",)), st.sampled_from(INTERNAL), picks),
)  # fmt: skip
pages = st.one_of(
    st.builds(Page, st.just("value"), st.sampled_from(ODD)),
    st.builds(Page, st.just("nextLink"), st.sampled_from(NEXT)),
    st.builds(Mixed, st.sampled_from(("doubled", "reversed", "strange", "swapped"))),
)
headers = st.one_of(
    st.builds(Header, st.just("Date"), st.sampled_from(DATES)),
    st.builds(Header, st.just("Content-Type"), st.sampled_from((None, "", "text/html", "image/png", "a" * 9_000))),
    st.builds(Header, st.just("apim-request-id"), st.sampled_from((None, "", "\xff\xfe", "a" * 9_000))),
    st.builds(Header, st.just("Retry-After"), st.sampled_from(RETRY_AFTER)),
    st.builds(Header, st.just("Content-Length"), st.sampled_from(("100000", "-1", "x", "1"))),
)
encodings = st.builds(Encoded, st.sampled_from(("gzip bomb", "gzip", "no gzip", "unknown", "BOM", "UTF-16", "charset")))
arrivals = st.builds(Arrives, st.sampled_from(("cut", "dropped", "drips", "endless")))
once = st.just(1)
identities = st.one_of(  # only where ids are ours
    mischief(("create", "get"), st.builds(Member, st.just(("id",)), st.sampled_from(("another-job", *TEXTS)))),
    mischief(("list",), st.builds(Member, st.just(("id",)), st.sampled_from(("another-job", *TEXTS)), picks)),
    mischief(("list",), st.just(Mixed("ids"))),
)
anything = st.one_of(
    mischief(TELLING, unclear),
    mischief(TELLING, waits((429, 503))),
    mischief(TELLING, redirects),
    mischief(TELLING, st.builds(Body, bodies)),
    mischief(TELLING, headers, often),
    mischief(TELLING, encodings),
    mischief(TELLING, arrivals, st.integers(1, 2)),
    mischief(("job", "job", "create", "get", "list"), members, often),
    mischief(("job", "job", "create", "get", "list"), members, often),
    mischief(("job", "job", "create", "get", "list"), members, often),
    mischief(("list",), pages, often),
    mischief(TELLING, refusals, once),
    mischief(("get", "delete"), st.builds(Said, st.sampled_from((404, 409)), bodies), once),
    mischief(("get",), st.builds(Member, st.just(("outputs",)), st.sampled_from(ODD)), once),
    mischief(("get",), st.builds(Member, st.sampled_from([("outputs", "result"), ("outputs", "summary")]),
                                 st.sampled_from(LINKS)), once),
    mischief(FILES, st.one_of(waits((429, 503)), redirects, unclear, refusals)),
    mischief(FILES, st.builds(Said, st.just(404), bodies), once),
    mischief(FILES, st.builds(Arrives, st.sampled_from(("cut", "dropped", "endless")))),
    mischief(FILES, st.builds(Header, st.sampled_from(("ETag", "Content-Length", "Content-Type")),
                              st.sampled_from((None, "", "x", "1")))),
    mischief(("summary",), st.one_of(st.builds(Body, bodies), encodings, st.sampled_from(SUMMARIES))),
)  # fmt: skip


def mischiefs(api_version: str):
    """Some things that go wrong at once."""
    return st.lists(st.one_of(anything, identities) if api_version == GA else anything, min_size=2, max_size=5)
