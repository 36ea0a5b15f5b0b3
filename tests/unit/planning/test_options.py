"""The options of a run, as they travel to a child run."""

import json

from batch_avatar.planning.budget import Budget
from batch_avatar.planning.options import RenderOptions
from flows.render_batch import render_batch


def test_limits_travel_as_the_numbers_that_the_form_of_the_flow_wants():
    sent = json.loads(
        json.dumps(RenderOptions(budget=Budget(max_minutes=1, max_cost="2.5", max_jobs=3)).as_parameters())
    )

    wanted = render_batch.parameters.properties
    assert {name: type(sent[name]) for name in ("max_minutes", "max_cost", "max_jobs")} == {
        "max_minutes": float, "max_cost": float, "max_jobs": int,
    }  # fmt: skip
    assert {one["type"] for one in wanted["max_cost"]["anyOf"]} == {"number", "null"}
    assert sent.keys() <= wanted.keys()
    assert Budget.model_validate({"max_cost": sent["max_cost"]}) == Budget(max_cost="2.5")
