"""Who gets into the Prefect server that we start: its own clients, and no page of another site in a browser."""

from __future__ import annotations

import json
import secrets
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from tests.support.deploying import CLIENT, login
from tests.support.processes import ROOT

pytestmark = [pytest.mark.prefect, pytest.mark.xdist_group("prefect"), pytest.mark.timeout(420)]
FOREIGN = "http://evil.example"
SOCKETS = ("events/in", "events/out", "logs/out", "task_runs/subscriptions/scheduled", "work_pools/p/workers/connect")
SECONDS = 60
LINUX = pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="only /proc tells who listens and what runs")


@pytest.fixture
def variable(client):
    """`variable()`: a new name, and whether the server has a variable of it."""
    name = f"door_{secrets.token_hex(6)}"

    async def there():
        return await client.read_variable_by_name(name) is not None

    return name, there


def send(stack, method, path, **options):
    return requests.request(method, f"{stack.prefect_url}/api/{path}", timeout=SECONDS, **options)


@pytest.mark.parametrize("headers", ["content-type", "content-type,authorization,prefect-csrf-token"])
def test_a_browser_is_not_told_that_a_page_of_another_site_may_ask(stack, headers):
    asks = {"Origin": FOREIGN, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": headers}
    assert "Access-Control-Allow-Origin" not in send(stack, "OPTIONS", "deployments/", headers=asks).headers
    assert "Access-Control-Allow-Origin" not in send(stack, "GET", "ready", headers={"Origin": FOREIGN}).headers


@pytest.mark.parametrize("kind", [None, "text/plain", "application/json"])
@pytest.mark.parametrize("knows_password", [False, True])
async def test_what_a_page_of_another_site_can_send_without_asking_first_changes_nothing(
    stack, variable, kind, knows_password
):
    """A browser adds a password that its user once put into an address, but no header of Prefect's."""
    name, there = variable
    headers = {"Origin": FOREIGN, "Content-Type": kind}
    auth = login(stack) if knows_password else None
    body = json.dumps({"name": name, "value": 1}).encode()
    answer = send(stack, "POST", "variables/", data=body, headers=headers, auth=auth)
    assert (answer.status_code, await there()) == (403, False), answer.text


async def test_a_site_whose_name_comes_to_point_at_this_machine_gets_nothing(stack, variable):
    """For the browser it is then one origin with the server, so that only the password keeps its pages out."""
    name, there = variable
    host = {"Host": f"evil.example:{urlsplit(stack.prefect_url).port}"}
    token = send(stack, "GET", "csrf-token", params={"client": CLIENT}, headers=host)
    forged = host | {"Prefect-Csrf-Client": CLIENT, "Prefect-Csrf-Token": "guessed"}
    made = send(stack, "POST", "variables/", json={"name": name, "value": 1}, headers=forged)
    read = send(stack, "GET", "flow_runs/00000000-0000-0000-0000-000000000000", headers=host)
    assert (token.status_code, made.status_code, read.status_code, await there()) == (401, 403, 401, False)


def heard_on_socket(stack, path, first, subprotocols=None):
    """What a page of another site, which browsers let open sockets to every server, hears after its first words."""
    url = f"{stack.prefect_url.replace('http', 'ws', 1)}/api/{path}"
    with connect(url, origin=FOREIGN, subprotocols=subprotocols, open_timeout=SECONDS) as socket:
        socket.send(json.dumps(first))
        return socket.recv(timeout=SECONDS)


@pytest.mark.parametrize("path", SOCKETS)
def test_no_socket_opens_without_the_password(stack, path):
    with pytest.raises(InvalidStatus, match="403"):
        heard_on_socket(stack, path, {})
    for first in ({"type": "auth"}, {"type": "auth", "token": "admin:guessed"}):
        with pytest.raises(ConnectionClosed, match="1008"):
            heard_on_socket(stack, path, first, ["prefect"])


@LINUX
def test_all_of_the_stack_listens_on_this_machine_only(stack):
    ports = {urlsplit(url).port for url in (stack.prefect_url, stack.service_url, stack.storage_url)}
    rows = [line.split() for table in ("tcp", "tcp6") for line in Path(f"/proc/net/{table}").read_text().splitlines()]
    listening = {row[1] for row in rows if row[3] == "0A" and int(row[1].rpartition(":")[2], 16) in ports}
    assert listening == {f"0100007F:{port:04X}" for port in ports}


@LINUX
def test_neither_password_nor_key_is_in_the_list_of_processes(stack):
    told = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists()]
    for name in ("PREFECT_API_AUTH_STRING", "BATCH_AVATAR_SPEECH_KEY"):
        secret = stack.environment[name].encode()
        assert [command for command in told if secret in command] == []


def test_a_render_with_a_wrong_password_sends_nothing_and_names_the_variable(command, environment):
    environment["PREFECT_API_AUTH_STRING"] = "admin:guessed"
    done = command("batch_avatar.commands.cli", "render", ROOT / "examples", "--engine", "prefect")
    assert done.returncode == 2, done.stderr
    assert "refuses the password (401); PREFECT_API_AUTH_STRING must be that of the server" in " ".join(
        done.stderr.split()
    )
