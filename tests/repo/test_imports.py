"""The architecture as failing checks: who may import whom, and who alone may do what."""

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("batch_avatar", "flows", "tasks", "deployments")
LINT = Path(sys.executable).parent / "lint-imports"
CONFIG = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]


def lint(folder, *options):
    """Run import-linter over the packages in `folder`; nothing of this checkout but its settings comes along."""
    return subprocess.run(
        [LINT, "--no-logo", "--no-cache", *options],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(folder), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.fixture
def copy(tmp_path):
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_every_contract_is_kept():
    done = lint(ROOT)

    assert done.returncode == 0, done.stdout + done.stderr
    assert f"Contracts: {len(CONFIG['contracts'])} kept, 0 broken." in done.stdout


TYPE_CHECKING_ONLY = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n"

BROKEN = [
    ("layers", "batch_avatar/service/watcher.py", "from batch_avatar.rendering.connect import current"),
    ("layers", "batch_avatar/service/client.py", "import batch_avatar.archive.ledger"),
    ("layers", "batch_avatar/scripts/rules.py", "import batch_avatar.archive.records"),
    ("layers", "batch_avatar/archive/ledger.py", "import batch_avatar.planning.plan"),
    ("layers", "batch_avatar/planning/decision.py", "import batch_avatar.rendering.claims"),
    ("layers", "batch_avatar/rendering/connect.py", "import batch_avatar.inbox.intake"),
    ("layers", "batch_avatar/upkeep/sweep.py", "import batch_avatar.inbox.run"),
    ("layers", "batch_avatar/models.py", "import batch_avatar.scripts.rules"),
    ("layers", "batch_avatar/safe_text/sinks.py", "import batch_avatar.errors"),
    ("layers", "batch_avatar/rendering/stages.py", "import tasks.steps"),
    ("layers", "tasks/steps.py", "import flows.render_batch"),
    ("layers", "flows/render_batch.py", "import batch_avatar.commands.cli"),
    ("layers", "tasks/reporting.py", "def f():\n    import batch_avatar.commands.terminal.console"),
    ("acyclic", "batch_avatar/rendering/submission.py", "import batch_avatar.rendering.stages"),
    ("acyclic", "batch_avatar/service/session.py", "import batch_avatar.service.client"),
    ("acyclic", "batch_avatar/service/wire/messages.py", "import batch_avatar.service.wire.summary"),
    ("acyclic", "batch_avatar/errors.py", "import batch_avatar.stopping"),
    ("acyclic", "batch_avatar/emulator/jobs/job.py", "import batch_avatar.emulator.jobs.view"),
    ("acyclic", "tasks/steps.py", "import tasks.rendering"),
    ("layers", "batch_avatar/errors.py", f"{TYPE_CHECKING_ONLY}    import batch_avatar.archive.records"),
    ("acyclic", "batch_avatar/rendering/connections.py", f"{TYPE_CHECKING_ONLY}    import batch_avatar.rendering.run"),
    ("emulator-layers", "batch_avatar/emulator/jobs/job.py", "import batch_avatar.emulator.service.job_store"),
    ("emulator-layers", "batch_avatar/emulator/clock.py", "import batch_avatar.emulator.media.model"),
    ("no-prefect", "batch_avatar/rendering/runner.py", "import prefect"),
    ("no-prefect", "batch_avatar/rendering/retry.py", "from tasks.steps import task_chain"),
    ("no-prefect", "batch_avatar/emulator/web/app.py", "from prefect import flow"),
    ("emulator-apart", "batch_avatar/emulator/jobs/validation.py", "import batch_avatar.scripts.rules"),
    ("emulator-apart", "batch_avatar/emulator/jobs/view.py", "def f():\n    import batch_avatar.service.wire.messages"),
    ("client-apart", "batch_avatar/rendering/connect.py", "import batch_avatar.emulator.web.server"),
    ("client-apart", "tasks/steps.py", "from batch_avatar.emulator.web import app"),
]


@pytest.mark.parametrize(("contract", "module", "line"), BROKEN, ids=lambda value: value.split("\n")[-1].strip())
def test_a_forbidden_import_breaks_its_contract(copy, contract, module, line):
    assert (copy / module).is_file()
    assert lint(copy, "--contract", contract).returncode == 0

    with (copy / module).open("a", encoding="utf-8") as file:
        file.write(f"\n{line}\n")
    done = lint(copy, "--contract", contract)

    assert done.returncode == 1, done.stdout + done.stderr
    assert "Contracts: 0 kept, 1 broken." in done.stdout
    parent, _, name = module.removesuffix(".py").replace("/", ".").rpartition(".")
    shown = [f"No cycles are allowed in {parent}.", f".{name} "] if contract == "acyclic" else [f"{parent}.{name}"]
    assert [text for text in shown if text not in done.stdout] == []


def test_every_contract_has_been_seen_to_break():
    assert {contract for contract, _, _ in BROKEN} == {contract["id"] for contract in CONFIG["contracts"]}


def test_every_module_of_the_core_has_its_layer():
    """A new module is given a place in pyproject.toml before it is given imports."""
    [layers] = [contract["layers"] for contract in CONFIG["contracts"] if contract["id"] == "layers"]
    placed = {name.strip() for layer in layers for name in re.split("[|:]", layer)}
    folders = (path for path in (ROOT / "batch_avatar").iterdir() if path.suffix == ".py" or path.is_dir())
    there = {f"batch_avatar.{path.stem}" for path in folders if not path.name.startswith("__")}

    assert placed == (there - {"batch_avatar.emulator"}) | {"flows", "tasks", "deployments"}


# What imports do not tell

CORE = sorted(
    path
    for package in PACKAGES
    for path in (ROOT / package).rglob("*.py")
    if "emulator" not in path.relative_to(ROOT).parts  # it has a clock and settings of its own
)


def dotted(node):
    """`a.b.c` of a chain of names, else nothing."""
    if isinstance(node, ast.Attribute):
        head = dotted(node.value)
        return f"{head}.{node.attr}" if head else None
    return node.id if isinstance(node, ast.Name) else None


def imported_names(tree):
    """Local name to what it stands for: `from asyncio import sleep as s` gives s: asyncio.sleep."""
    names = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.asname or alias.name.partition(".")[0]: alias.asname and alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    return names


def uses(source):
    """Every name and attribute that a module's code uses or imports, in full."""
    tree = ast.parse(source)
    names, found = imported_names(tree), set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.Attribute | ast.Name) and (name := dotted(node)):
            head, _, rest = name.partition(".")
            found.add((names.get(head) or head) + (f".{rest}" if rest else ""))
    return found


def calls(source):
    """The names that a module calls, also as `name(...)`, `module.name(...)` and `name.from_something(...)`."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and (name := dotted(node.func)):
            *_, owner, last = "", *name.split(".")
            found.add(owner if last.startswith("from_") else last)
    return found


ENVIRONMENT = {"os.environ", "os.getenv", "os.environb", "os.putenv", "os.unsetenv"}
TIME = {
    "time",
    "asyncio.sleep",
    "datetime.datetime.now",
    "datetime.datetime.utcnow",
    "datetime.datetime.today",
    "datetime.date.today",
    "threading.Timer",
}
IMPLEMENTATIONS = {
    "Admission",
    "Archive",
    "AvatarClient",
    "BlobServiceClient",
    "Connections",
    "ContainerClient",
    "DefaultAzureCredential",
    "EntraCredential",
    "Inbox",
    "KeyCredential",
    "OnceReadSession",
    "Session",
    "Staging",
    "SystemClock",
    "ThreadPoolExecutor",
    "Watcher",
    "open_session",
}


def beyond(modules, of, forbidden):
    """Module to the forbidden names in it, for all modules but those given."""
    found = {}
    for path in CORE:
        name = path.relative_to(ROOT).as_posix()
        if name not in modules and (hits := of(path.read_text(encoding="utf-8")) & forbidden):
            found[name] = hits
    return found


def test_only_the_settings_read_the_environment():
    assert beyond({"batch_avatar/settings.py"}, uses, ENVIRONMENT) == {
        "batch_avatar/commands/stack.py": {"os.environ"},  # handed on to the processes it starts
    }


def test_only_the_clock_reads_time_or_sleeps():
    assert beyond({"batch_avatar/clock.py"}, uses, TIME) == {
        "batch_avatar/commands/terminal/running.py": {
            "threading.Timer"
        },  # leaves a stopped command that waits for an answer
        "deployments/stack.py": {"time"},  # waits for processes that it starts, outside any run
    }


def test_only_connect_chooses_implementations():
    assert beyond({"batch_avatar/rendering/connect.py"}, calls, IMPLEMENTATIONS) == {
        "batch_avatar/service/session.py": {"OnceReadSession"},  # the factory itself
        "batch_avatar/service/time_limit.py": {"SystemClock"},  # sockets know no other time
        "batch_avatar/commands/terminal/running.py": {
            "SystemClock"
        },  # names a run, shows its progress before it is connected
        "batch_avatar/rendering/outputs.py": {"ContainerClient"},  # a job's own destination, which may differ by script
        "batch_avatar/commands/demo.py": {"ContainerClient"},  # copies the demo's videos to a folder
        "batch_avatar/commands/stack.py": {"open_session"},  # waits for the processes that it starts
        "batch_avatar/doctor/connecting.py": {"Staging", "SystemClock", "open_session"},  # looks at each part by itself
        "batch_avatar/doctor/live/connecting.py": {"SystemClock", "open_session"},  # sends what no run ever sends
        "deployments/drain.py": {"SystemClock"},  # a command of its own, without connections
    }


def test_only_safe_text_is_printed():
    printing = {"click.echo", "click.secho", "print", "rich.print", "rich.console.Console"}
    of_ours = {"batch_avatar/commands/terminal/saying.py", "batch_avatar/commands/terminal/safe_console.py"}
    types = {  # of parameters
        f"batch_avatar/commands/{name}.py": {"rich.console.Console"}
        for name in ("archive", "doctor", "terminal/console", "render", "terminal/running")
    }

    assert beyond(of_ours, uses, printing) == types


@pytest.mark.parametrize(
    ("source", "used"),
    [
        ("import os\nx = os.environ['A']", "os.environ"),
        ("from os import environ\nx = environ", "os.environ"),
        ("from os import getenv as g\nx = g('A')", "os.getenv"),
        ("import os as o\nx = o.getenv('A')", "os.getenv"),
        ("import time", "time"),
        ("import asyncio\nasync def f():\n    await asyncio.sleep(1)", "asyncio.sleep"),
        ("from asyncio import sleep", "asyncio.sleep"),
        ("from datetime import datetime\nx = datetime.now()", "datetime.datetime.now"),
        ("import datetime as d\nx = d.datetime.now()", "datetime.datetime.now"),
    ],
)
def test_a_use_is_found_however_it_is_written(source, used):
    assert used in uses(source) & (ENVIRONMENT | TIME)


@pytest.mark.parametrize(
    ("source", "called"),
    [
        ("Watcher(a=1)", "Watcher"),
        ("x = watcher.Watcher()", "Watcher"),
        ("y = BlobServiceClient.from_connection_string('x')", "BlobServiceClient"),
        ("z = blob.ContainerClient.from_container_url('x')", "ContainerClient"),
    ],
)
def test_a_construction_is_found_however_it_is_written(source, called):
    assert calls(source) & IMPLEMENTATIONS == {called}


@pytest.mark.parametrize(
    "source", ["x: Watcher", "def f(w: Watcher) -> None: ...", "from a import Watcher", "w.wait()"]
)
def test_naming_a_type_is_no_construction(source):
    assert not calls(source) & IMPLEMENTATIONS
