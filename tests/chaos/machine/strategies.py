"""What can happen to the machine, as Hypothesis draws it. No draw depends on what happened: a seed is one story."""

from __future__ import annotations

from hypothesis import strategies as st

from batch_avatar.emulator.faults import (
    AbortJob,
    Cut,
    Delay,
    DropAfter,
    DropBefore,
    FailJob,
    FaultRule,
    Garbage,
    Status,
    StickJob,
)
from batch_avatar.emulator.options import Progression
from batch_avatar.planning.permits import Permits
from tests.chaos.arena import GA, PREVIEW
from tests.chaos.machine.judge import CONTENT_CODE
from tests.chaos.machine.runs import Stop
from tests.chaos.machine.world import NAMES

SLOW = Delay(seconds=0.25)  # below the request's timeout
REVISIONS = (0, 1, 2)

readings = st.sampled_from(("conflict", "existing", "replace", "bad_request"))
worlds = st.fixed_dictionaries(
    {
        "service": st.one_of(
            st.just({"api_version": PREVIEW}),
            st.builds(lambda reading: {"api_version": GA, "repeat_put": reading}, readings),
        ),
        "options": st.fixed_dictionaries(
            {
                "progression": st.sampled_from(
                    (
                        Progression.after_seconds(start_delay=0.1, overhead=0.2, per_video_second=0.05),
                        Progression.at_once(),
                    )
                ),
                "delete_unfinished": st.sampled_from(("refuse", "accept")),
                "get_absent": st.sampled_from((404, 204)),
                "delete_absent": st.sampled_from((204, 404)),
            }
        ),
    }
)

subsets = st.sets(st.sampled_from(NAMES), min_size=1, max_size=3).map(sorted)
permits = st.builds(
    Permits,
    revision=st.sampled_from((*REVISIONS, 0)),
    retry_failed=st.booleans(),
    rerender_lost=st.booleans(),
    accept_changes=st.sampled_from((True, True, False)),
)
stops = st.one_of(
    st.none(),
    st.builds(Stop, at=st.just("event"), number=st.integers(1, 8)),
    st.builds(Stop, at=st.just("request"), number=st.integers(1, 12), late=st.booleans()),
)
runs = st.one_of(st.tuples(stops), st.tuples(stops), st.tuples(st.none(), stops))  # one, or two at once
texts = st.tuples(subsets, st.sampled_from((None, None, 0, 1, 2, 3)))  # scripts, and the version of their texts if new
request_actions = st.one_of(
    st.builds(Status, status=st.sampled_from((500, 503)), after_effect=st.booleans()),
    st.builds(Status, status=st.just(429), retry_after_seconds=st.sampled_from((0, 1))),
    st.builds(DropBefore),
    st.builds(DropAfter),
    st.builds(Garbage, body=st.sampled_from(("html", "truncated_json", "empty", "not_an_object"))),
    st.builds(Cut),
    st.just(SLOW),
)
refusals = st.sampled_from((Status(status=400, code="BadRequest"), Status(status=403, code="Forbidden")))
job_actions = st.one_of(
    st.builds(FailJob, code=st.sampled_from((CONTENT_CODE, "InternalServerError"))),
    st.builds(AbortJob, after_seconds=st.just(0.2)),
    st.builds(
        StickJob,
        status=st.sampled_from(("NotStarted", "Running")),
        release_after_seconds=st.sampled_from((None, 1.5)),  # which is about when a run gives it up
    ),
)
operations = st.sampled_from(("create", "get", "list", "delete", "download"))
chances = st.sampled_from((0.4, 1.0))
create = st.just("create")
weathers = st.lists(
    st.one_of(
        st.builds(
            FaultRule,
            operation=operations,
            action=request_actions,
            probability=chances,
            at_most=st.integers(1, 6),
        ),
        st.builds(FaultRule, operation=create, action=refusals, at_most=st.integers(1, 2)),
        st.builds(FaultRule, operation=st.just("delete"), action=refusals, at_most=st.integers(1, 3)),
        st.builds(FaultRule, operation=create, action=st.just(SLOW)),
        st.builds(FaultRule, operation=create, action=job_actions, at_most=st.integers(1, 3)),
    ),
    min_size=1,
    max_size=3,
)
picks = st.integers(0, 99)  # of a list whose length is not known when it is drawn
chores = st.sampled_from((None, None, None, None, "sweep", "dry sweep", "plan", "replay"))
disturbances = st.one_of(  # a method of the machine, and what it is given
    st.none(),
    st.none(),
    st.tuples(st.just("change_weather"), weathers),
    st.tuples(st.just("change_weather"), weathers),
    st.tuples(st.just("calm_down"), st.booleans()),
    st.tuples(st.just("rob_the_service"), picks),
    st.tuples(st.just("rob_the_service"), picks),
    st.tuples(st.just("rob_the_archive"), picks, st.booleans()),
)
