"""The Prefect UI as a person uses it, in Chromium: the form, what moves, what is shown in the end, and cancelling.

Screenshots go to browser-output/ (or BROWSER_OUTPUT), for people to look at.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path

import pytest
import redis
from playwright.sync_api import expect, sync_playwright

from tests.support.processes import ROOT
from tests.support.scripts import script, write_manifest
from tests.support.waiting import until
from tests.unit.safe_text.hostile_text import HOSTILE

OUTPUT = Path(os.environ.get("BROWSER_OUTPUT", ROOT / "browser-output"))
PATIENCE_MILLISECONDS = 60_000
GRAPH = re.compile(r"Cannot read properties of null \(reading '(position|x|y)'\)")
"""The graph on a flow run's page at times goes on to draw nodes that it has taken away (Prefect 3.8, pixi.js), once for
each frame; there is nothing of ours in it."""
LACKING = re.compile(r"/favicon\.ico$|/ico/\w+\.svg$")
"""Pictures that Prefect's UI asks its server for, which has none."""
expect.set_options(timeout=PATIENCE_MILLISECONDS)


@pytest.fixture(scope="module")
def system(start_system):
    return start_system(time_scale=30)


@pytest.fixture(scope="module")
def chromium():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        yield browser
        browser.close()


UIS = {"v1": "", "v2": "/v2"}


def enter(context, system, ui):
    """What its person does at the first visit: a UI asks for the password and then shows what was asked for."""
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MILLISECONDS)
    page.goto(f"{system.stack.prefect_url}{UIS[ui]}/deployments")
    page.locator("input[type=password]").fill(system.stack.environment["PREFECT_API_AUTH_STRING"])
    page.get_by_role("button", name="Login").click()
    expect(page.get_by_text("render-batch").first).to_be_visible()
    page.close()


@pytest.fixture(scope="module")
def context(chromium, system):
    """A browser in which its person has entered the password.

    Page v2 forgets the password if one leaves the page while it is still being checked (Prefect 3.8), as tests do.
    """
    with chromium.new_context(viewport={"width": 1400, "height": 1000}) as opened:
        enter(opened, system, "v1")
        (site,) = opened.storage_state()["origins"]
        for kept in site["localStorage"]:
            opened.add_init_script(f"localStorage.setItem({json.dumps(kept['name'])}, {json.dumps(kept['value'])})")
        yield opened


@pytest.fixture
def wrong():
    """What went wrong in the page; it fails the test at its end."""
    errors = []
    yield errors
    assert errors == []


@pytest.fixture
def page(context, system, wrong):
    """A page on the UI."""
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MILLISECONDS)

    def hear_error(error):
        if not ("/runs/flow-run/" in page.url and GRAPH.search(error.message)):
            wrong.append(error.stack or error.message)

    page.on("pageerror", hear_error)

    def hear(message):
        url = message.location.get("url") or ""
        foreign = not url.startswith(system.stack.prefect_url)  # Prefect's UI asks its makers; here is no network
        if message.type == "error" and not foreign and not LACKING.search(url):
            wrong.append(f"{message.text} {url}")

    page.on("console", hear)
    page.goto(system.stack.prefect_url)
    yield page
    page.close()


@pytest.fixture
def picture(page):
    """`picture(name)` keeps what is on the page."""
    OUTPUT.mkdir(parents=True, exist_ok=True)

    def take(name, **options):
        page.screenshot(path=OUTPUT / f"{name}.png", animations="disabled", **options)

    return take


def field(page, label):
    """Of a parameter form: what is filled in below this label."""
    name = page.locator(".schema-form-property__label", has_text=re.compile(rf"^{label}( \(Optional\))?$"))
    return page.locator(".schema-form-property").filter(has=name).last


def open_form(page, system, flow):
    page.goto(f"{system.stack.prefect_url}/deployments")
    page.locator("tr", has_text=flow).get_by_role("link", name="ad-hoc").click()
    page.get_by_role("button", name="Run", exact=True).first.click()
    page.get_by_text("Custom run").click()


def open_run(page, system, run_id, tab=None):
    page.goto(f"{system.stack.prefect_url}/runs/flow-run/{run_id}")
    if tab is not None:
        page.get_by_role("tablist").get_by_text(tab, exact=True).click()


def runs_of(system, deployment):
    wanted = {"deployment_id": {"any_": [system.deployment(deployment)["id"]]}}
    return system.api("flow_runs/filter", flow_runs=wanted, sort="START_TIME_DESC")


@pytest.mark.timeout(900)
@pytest.mark.parametrize("entered", UIS)
def test_the_password_is_asked_for_once_and_opens_both_uis(chromium, system, entered):
    with chromium.new_context() as context:
        enter(context, system, entered)
        for base in UIS.values():
            page = context.new_page()
            page.goto(f"{system.stack.prefect_url}{base}/deployments")
            expect(page.get_by_text("render-batch").first).to_be_visible()
            expect(page.locator("input[type=password]")).to_have_count(0)


def test_redis_whose_contents_are_carried_out_asks_for_a_password(system):
    port = int(system.stack.environment["PREFECT_REDIS_MESSAGING_PORT"])
    with redis.Redis(port=port) as stranger, pytest.raises(redis.AuthenticationError):
        stranger.ping()


@pytest.mark.timeout(900)
def test_one_script_is_filled_into_the_form_and_rendered(page, picture, system):
    open_form(page, system, "render-script")
    for label, text in {
        "Script Id": "from-the-form",
        "Content": "Hello from the form.",
        "Voice": "en-US-AvaMultilingualNeural",
        "Talking Avatar Character": "lisa",
        "Talking Avatar Style": "casual-sitting",
        "Video Format": "webm",
    }.items():
        field(page, label).locator("textarea").fill(text)
    labels = page.locator(".schema-form-property .schema-form-property .schema-form-property__label").all_inner_texts()
    assert labels[:4] == ["Script Id", "Input Kind (Optional)", "Content", "Voice (Optional)"]
    picture("1-form", full_page=True)
    page.get_by_role("button", name="Submit").click()

    assert until(lambda: [run["state_type"] for run in runs_of(system, "render-script/ad-hoc")], ["COMPLETED"]) == [
        "COMPLETED"
    ]
    (run,) = runs_of(system, "render-script/ad-hoc")
    assert run["parameters"]["script"]["video_format"] == "webm"
    filled = {name for name, value in run["parameters"]["script"].items() if value is not None}
    assert filled == {
        "script_id", "input_kind", "content", "voice", "talking_avatar_character", "talking_avatar_style",
        "video_format",
    }  # fmt: skip
    open_run(page, system, run["id"])
    expect(page.get_by_text("Completed", exact=True).first).to_be_visible()
    picture("2-run")
    open_run(page, system, run["id"], "Artifacts")
    for key in ("progress", "scripts", "report"):
        expect(page.get_by_text(key, exact=True).first).to_be_visible()
    picture("3-artifacts")
    page.get_by_text("report", exact=True).first.click()
    expect(page.get_by_text("seconds of video billed")).to_be_visible()
    picture("4-report")
    open_run(page, system, run["id"], "Artifacts")
    page.get_by_text("scripts", exact=True).first.click()
    expect(page.get_by_text("from-the-form", exact=True).first).to_be_visible()
    picture("5-table")


@pytest.mark.timeout(600)
def test_wrong_parameters_are_refused_in_the_form(page, picture, system, wrong):
    before = len(runs_of(system, "render-batch/ad-hoc"))
    open_form(page, system, "render-batch")
    expect(field(page, "order")).to_be_visible()
    expect(page.get_by_text("Folders of txt, ssml and xml files, or manifests")).to_be_visible()
    picture("6-batch-form", full_page=True)
    field(page, "pack").locator("input").fill("-1")
    page.get_by_role("button", name="Submit").click()
    expect(page.get_by_text(re.compile("less than the minimum|greater than or equal|must be")).first).to_be_visible()
    picture("7-refused", full_page=True)
    assert len(runs_of(system, "render-batch/ad-hoc")) == before
    assert "409 (Conflict)" in wrong[0]
    wrong.clear()


@pytest.mark.timeout(1200)
def test_a_batch_moves_on_before_ones_eyes_and_is_cancelled_with_a_click(page, picture, system):
    system.faults({"operation": "create", "action": {"kind": "stick_job"}, "job_id": "^slow-00[2-9]"})
    manifest, names = system.write_manifest("slow", 10)
    run = system.run("render-batch/ad-hoc", sources=[str(manifest)])
    assert until(lambda: sum(system.accepted("slow-").values()), len(names)) == len(names)
    open_run(page, system, run, "Artifacts")
    expect(page.get_by_text(re.compile("2 archived")).first).to_be_visible()
    picture("8-progress")
    open_run(page, system, run)
    page.get_by_role("button", name="Cancel", exact=True).click()
    picture("9-cancel")
    page.get_by_role("button", name="Confirm").click()
    assert until(lambda: system.flow_run(run)["state_type"], "CANCELLED") == "CANCELLED"
    expect(page.get_by_text("Cancelled", exact=True).first).to_be_visible()
    picture("10-cancelled")
    open_run(page, system, run, "Artifacts")
    page.get_by_text("scripts", exact=True).first.click()
    expect(page.get_by_text("goes on at the service").first).to_be_visible()
    picture("11-cancelled-table")
    system.lift_faults()
    again = system.run("render-batch/ad-hoc", sources=[str(manifest)])
    assert until(lambda: system.flow_run(again)["state_type"], "COMPLETED") == "COMPLETED"
    system.rendered.append("from-the-form")
    system.judge()
    page.goto(f"{system.stack.prefect_url}/runs")
    picture("12-runs")


@pytest.mark.timeout(900)
@pytest.mark.parametrize("ui", UIS)
def test_what_is_hostile_is_seen_as_text_in_both_uis(page, system, hostile_run, wrong, ui):
    """On a run's page the UI itself makes links of addresses in its log; such a link is what it shows.

    After the test that judges the archive: refused scripts are due there for ever.
    """
    hosts = []
    page.on("request", lambda request: hosts.append(request.url))
    for key in ("scripts", "report"):
        page.goto(f"{system.stack.prefect_url}{UIS[ui]}/artifacts/artifact/{hostile_run[key]}")
        for words in ("hostile <img src=x onerror=alert(1)>", "hostile # t", "title", "evil.example/x.png"):
            expect(page.get_by_text(words).first).to_be_visible()
        assert page.locator("a[href*='evil'], img[src*='evil'], img[src='x'], main h1:has-text('t)')").count() == 0
        assert "owned" not in page.title()
    page.goto(f"{system.stack.prefect_url}{UIS[ui]}/runs/flow-run/{hostile_run['run']}")
    expect(page.get_by_text("first: hostile").first).to_be_visible()
    assert page.locator("img[src*='evil'], img[src='x']").count() == 0
    links = page.locator("a[href*='evil']").evaluate_all("all => all.map(one => [one.innerText, one.href])")
    assert [(text, link) for text, link in links if link.partition("//")[2].partition("/")[0] not in text] == []
    own = re.compile(r"/api/task_runs/filter$|\.svg$")  # v2 asks for these wrongly (Prefect 3.8)
    wrong[:] = [one for one in wrong if not own.search(one)]
    assert not [url for url in hosts if "evil.example" in url.partition("//")[2].partition("/")[0]]


@pytest.fixture(scope="module")
def hostile_run(system):
    """The ids of a run whose scripts have hostile names, and which the service refuses with hostile words; and of its
    artifacts by key."""
    ids = [
        "hostile <img src=x onerror=alert(1)>",
        "hostile # t",
        "hostile [y](https:evil.example)",
        "hostile \u202e*b*",
    ]
    words = " ".join(text for name, text in HOSTILE.items() if name not in ("1 MB", "half a surrogate pair"))
    manifest = write_manifest(system.folder, [script(name) for name in ids], name="hostile.jsonl")
    refused = {"kind": "status", "status": 400, "code": "BadRequest", "message": words}
    system.faults({"operation": "create", "job_id": "^hostile", "action": refused})
    run = system.run("render-batch/ad-hoc", sources=[str(manifest)])
    assert until(lambda: system.flow_run(run)["state_type"], "FAILED") == "FAILED"
    system.lift_faults()
    found = system.api("artifacts/filter", flow_runs={"id": {"any_": [run]}})
    return {"run": run} | {one["key"]: one["id"] for one in found}
