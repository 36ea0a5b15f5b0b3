"""A run that may spend only so much creates what fits; a later run creates exactly the rest."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from batch_avatar.errors import SettingsError
from batch_avatar.planning.budget import Budget
from batch_avatar.planning.options import RenderOptions
from batch_avatar.planning.order import Order
from batch_avatar.planning.plan import Action
from tests.support.scripts import script, write_manifest

PRICES = '{"currency": "USD", "video_per_minute": {"standard": 1.20}, "characters_per_million": {"neural": 16}}'


def paused(name, seconds):
    """A script whose video lasts so long, and a little for its one word."""
    pauses = '<break time="20s"/>' * (seconds // 20)
    text = (
        '<speak version="1.0" xmlns="http://www.w3.org/2001/10/synthesis" xml:lang="en-US">'
        f'<voice name="en-US-AvaMultilingualNeural">Go.{pauses}</voice></speak>'
    )
    return script(name, input_kind="SSML", content=text, voice=None)


def created(b):
    return sorted(job_id.rsplit("-", 2)[0] for job_id in b.accepted())


def by_outcome(report):
    found = {}
    for one in report.outcomes:
        found.setdefault((one.outcome.value, one.error.failure_class if one.error else None), []).append(one.script_id)
    return found


def test_minutes_that_fit_are_created_and_a_second_run_creates_exactly_the_rest(quick, tmp_path):
    b = quick()
    write_manifest(tmp_path, [paused(f"s{number:02}", 180) for number in range(6)])
    wanted = ("scripts.jsonl", "--max-minutes", "10")

    planned = json.loads(b.command("plan", *wanted, "--json", folder=tmp_path).stdout)
    first = b.command("render", *wanted, "--json", folder=tmp_path)
    fitted = created(b)
    second = b.command("render", "scripts.jsonl", "--max-minutes", "100", "--json", folder=tmp_path)

    assert fitted == ["s00", "s01", "s02"]
    assert fitted == [one["script_id"] for one in planned["scripts"] if one["action"] == "create"]
    assert planned["predicted"]["scripts"]["leave"] == 3
    report = json.loads(first.stdout)
    left = {one["script_id"]: one["error"] for one in report["outcomes"] if one["outcome"] == "unfinished"}
    assert (first.returncode, report["archived"], sorted(left)) == (1, 3, ["s03", "s04", "s05"])
    assert {one["class"] for one in left.values()} == {"budget"}
    assert all("10 minutes of video" in one["message"] and "--max-minutes" in one["message"] for one in left.values())
    again = json.loads(second.stdout)
    assert (second.returncode, again["archived"], again["skipped"]) == (0, 3, 3)
    assert set(b.accepted().values()) == {1}
    assert created(b) == [f"s{number:02}" for number in range(6)]


def test_a_script_that_does_not_fit_is_passed_over_for_one_that_does(quick):
    b = quick()
    scripts = [paused("long", 600), paused("short", 20), paused("middle", 180)]

    report = b.render(scripts, options=RenderOptions(budget=Budget(max_minutes=4)))

    assert created(b) == ["middle", "short"]
    assert by_outcome(report)["unfinished", "budget"] == ["long"]


def test_the_order_of_the_manifest_decides_where_that_is_wanted(quick):
    b = quick()
    scripts = [paused("a", 60), paused("b", 180), paused("c", 60)]

    b.render(scripts, options=RenderOptions(budget=Budget(max_jobs=2), order=Order.MANIFEST))

    assert created(b) == ["a", "b"]


def test_money_is_counted_by_the_prices_and_missing_ones_are_named_before_anything_is_sent(quick, monkeypatch):
    b = quick()
    scripts = [paused(f"s{number}", 60) for number in range(4)]
    budget = Budget(max_cost=Decimal("2.50"))

    with pytest.raises(SettingsError, match="BATCH_AVATAR_PRICES is not set"):
        b.render(scripts, options=RenderOptions(budget=budget))
    monkeypatch.setenv("BATCH_AVATAR_PRICES", PRICES)
    with pytest.raises(SettingsError, match="no video_per_minute custom, so"):
        b.render([*scripts, script("own", customized=True)], options=RenderOptions(budget=budget))
    assert b.accepted() == {}

    report = b.render(scripts, options=RenderOptions(budget=budget))

    assert created(b) == ["s0", "s1"]
    assert by_outcome(report)["unfinished", "budget"] == ["s2", "s3"]


def test_the_same_run_started_again_goes_on_with_what_it_had_spent(quick):
    b = quick(media="real")
    scripts = [paused(f"s{number}", 20) for number in range(5)]
    options = RenderOptions(budget=Budget(max_minutes=0.8))

    b.render(scripts[:1], run="flow-1", options=options)
    b.render(scripts, run="flow-1", options=options)
    assert created(b) == ["s0", "s1"]

    b.render(scripts, run="flow-2", options=options)
    assert created(b) == ["s0", "s1", "s2", "s3"]


def test_jobs_of_other_runs_that_are_adopted_cost_this_run_nothing(quick):
    b = quick()
    scripts = [paused(f"s{number}", 60) for number in range(3)]
    b.submit(scripts[:1])

    found = b.prepare(scripts, RenderOptions(budget=Budget(max_jobs=2)))
    report = b.render(scripts, options=RenderOptions(budget=Budget(max_jobs=2)))

    assert [found.action_of(item) for item in found.plan.items] == [Action.ADOPT, Action.CREATE, Action.CREATE]
    assert report.archived == 3


@pytest.mark.parametrize("pack", [0, 2])
def test_a_pack_is_one_job(packs, pack):
    b = packs()
    scripts = [script(f"s{number}") for number in range(5)]

    report = b.render(scripts, options=RenderOptions(pack=pack, budget=Budget(max_jobs=2)), creates_per_minute=600)

    assert len(b.accepted()) == 2
    assert report.archived + len(by_outcome(report).get(("unfinished", "budget"), [])) == 5


def test_nothing_fits(quick):
    b = quick()

    report = b.render([script()], options=RenderOptions(budget=Budget(max_minutes=0)))

    assert (report.unfinished, b.accepted()) == (1, {})
