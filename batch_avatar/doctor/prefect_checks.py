"""A Prefect API, if one is configured: over HTTP alone, as the core does not know Prefect.

Paths and members are those of Prefect 3's REST API (its page "REST API reference"; tried with 3.8 and 3.9).
"""

from __future__ import annotations

import re
import uuid
from importlib.metadata import PackageNotFoundError, requires
from math import isclose
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from batch_avatar.doctor.checks import Step, failed, ok, skipped, warning
from batch_avatar.doctor.reach import Unreachable, reach
from batch_avatar.errors import ServiceUnavailable
from batch_avatar.safe_text.redaction import know
from batch_avatar.service.session import NO_ANSWER
from batch_avatar.service.time_limit import time_limit
from batch_avatar.service.wire.members import parse_json
from batch_avatar.settings import prefect_api_url, prefect_setting

if TYPE_CHECKING:
    from collections.abc import Iterator

    import requests

    from batch_avatar.clock import Clock
    from batch_avatar.doctor.checks import Check
    from batch_avatar.settings import Settings

SERVER, VERSION, ACCESS = "prefect server", "prefect version", "prefect access"
POOL, WORKERS, LIMITS = "prefect work pool", "prefect worker", "prefect limits"
DEPLOYMENTS, AUTOMATIONS = "prefect deployments", "prefect automations"
DEFAULT_POOL = "batch-avatar"
"""The work pool of the deployments in prefect.yaml."""
EXPECTED = ("render-batch/ad-hoc", "render-script/ad-hoc", "render-inbox/scheduled", "sweep-jobs/hourly")
"""Flow and name of those deployments that a person starts, or a schedule."""
AUTH_STRING = (
    "read -rs PREFECT_API_AUTH_STRING && export PREFECT_API_AUTH_STRING  # type <user>:<password>, as the server has it"
)
START = "prefect server start"
SET_UP = "python -m deployments.bootstrap"
OUR_AUTOMATIONS = "batch-avatar: "
ANSWER_SECONDS = 10.0  # a busy server with SQLite was seen to take 2
_NUMBERS = re.compile(r"\d+")
_BOUND = re.compile(r"(>=|<)\s{0,5}([\d.]{1,20})")
UNAUTHORIZED, NOT_FOUND, UNPROCESSABLE = 401, 404, 422


class PrefectApi:
    """Asks one API. Blocking; shared by threads."""

    def __init__(self, url: str, session: requests.Session) -> None:
        self.url = url.rstrip("/")
        self._session = session
        password, key = prefect_setting("api_auth_string"), prefect_setting("api_key")
        for secret in (password, (password or "").partition(":")[2], key):
            know(secret)
        user, _, word = (password or "").partition(":")
        self._auth = (user, word) if password else None
        self._headers = {"Authorization": f"Bearer {key}"} if key and not password else {}

    def get(self, path: str) -> tuple[int, Any]:
        """Return the status and what the JSON of the answer says. Raises ServiceUnavailable."""
        return self._ask("GET", path, None, {})

    def find(self, path: str, body: dict[str, Any]) -> tuple[int, Any]:
        """Return the same for a question that is a POST, with a token against forged requests where one is wanted."""
        client = str(uuid.uuid4())
        status, token = self.get(f"csrf-token?client={client}")
        wanted = isinstance(token, dict) and status < UNAUTHORIZED and isinstance(token.get("token"), str)
        extra = {"Prefect-Csrf-Client": client, "Prefect-Csrf-Token": token["token"]} if wanted else {}
        return self._ask("POST", path, body, extra)

    def _ask(self, method: str, path: str, body: dict[str, Any] | None, extra: dict[str, str]) -> tuple[int, Any]:
        auth: dict[str, Any] = {"auth": self._auth} if self._auth else {}
        try:
            with time_limit(ANSWER_SECONDS):
                answer = self._session.request(
                    method,
                    f"{self.url}/{path}",
                    json=body,
                    headers=self._headers | extra,
                    timeout=ANSWER_SECONDS,
                    allow_redirects=False,
                    **auth,
                )
        except NO_ANSWER as error:
            raise ServiceUnavailable(f"the Prefect server gives no answer ({type(error).__name__})") from None
        try:
            return answer.status_code, parse_json(answer.content)
        except ValueError:
            return answer.status_code, None


def prefect_steps(session: requests.Session, clock: Clock, settings: Settings | None, pool: str) -> list[Step]:
    """Return the steps; none is needed where no API is configured. `settings`: None if they cannot be used."""
    url = prefect_api_url()
    if url is None:
        why = "no PREFECT_API_URL and no profile: `render` works in its own process"
        return [Step((SERVER,), lambda: [skipped(SERVER, why)])]
    api = PrefectApi(url, session)
    return [
        Step((SERVER, VERSION), lambda: _server(api, session, clock)),
        Step((ACCESS,), lambda: _access(api), needs=(SERVER, VERSION)),
        Step((POOL, WORKERS), lambda: _pool(api, pool), needs=(ACCESS,)),
        Step((LIMITS,), lambda: _limits(api, settings), needs=(ACCESS,)),
        Step((DEPLOYMENTS,), lambda: _deployments(api), needs=(ACCESS,)),
        Step((AUTOMATIONS,), lambda: _automations(api), needs=(ACCESS,)),
    ]


def _server(api: PrefectApi, session: requests.Session, clock: Clock) -> Iterator[Check]:
    host = urlsplit(api.url).netloc
    try:
        reach(session, api.url, clock)
        status, _ = api.get("health")
    except Unreachable as error:
        fix = START if error.kind == "refused" else error.fix
        yield failed(SERVER, f"{error.found}; PREFECT_API_URL says so", fix)
        return
    except ServiceUnavailable as error:
        yield failed(SERVER, f"{host}: {error}", START)
        return
    if status == NOT_FOUND:
        yield failed(SERVER, f"{api.url} is no Prefect API (404)", f"export PREFECT_API_URL=http://{host}/api")
        return
    if status != UNAUTHORIZED and status >= 400:  # noqa: PLR2004 - HTTP statuses
        yield failed(SERVER, f"{host} is not well (status {status})", START)
        return
    yield ok(SERVER, f"{host} answers")
    status, told = api.get("admin/version")
    yield check_version(status, told)


def check_version(status: int, told: object) -> Check:
    """Judge the server's version by what our extra `prefect` asks for. Pure but for the installed package's facts."""
    wanted = asked_range()
    if not isinstance(told, str) or not _NUMBERS.match(told):
        return skipped(VERSION, "the server asks for a password first" if status == UNAUTHORIZED else "is not told")
    if not within(told, wanted):
        return failed(VERSION, f"the server is {told}, and {wanted} is needed", f"pip install 'prefect{wanted}'")
    return ok(VERSION, f"{told}, within {wanted}")


def asked_range() -> str:
    """Return the versions of Prefect that our extra asks for, such as `>=3.8,<4`."""
    try:
        asked = requires("batch-avatar") or []
    except PackageNotFoundError:
        asked = []
    named = [one.partition(";")[0].strip() for one in asked if re.match(r"prefect[<>=]", one)]
    bounds = sorted((sign + number for sign, number in _BOUND.findall(named[0])), reverse=True) if named else []
    return ",".join(bounds) or ">=3.8,<4"


def within(version: str, wanted: str) -> bool:
    """Return whether a version lies within such a range. Pure."""
    numbers = _numbers(version)
    return all((numbers >= _numbers(to)) == (sign == ">=") for sign, to in _BOUND.findall(wanted))


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, _NUMBERS.findall(version)[:3]))


def _access(api: PrefectApi) -> Iterator[Check]:
    status, _ = api.find("flows/count", {})
    if status in (UNAUTHORIZED, 403):
        found = f"the server refuses the password or key ({status})"
        yield failed(ACCESS, found, AUTH_STRING)
    elif status >= 400:  # noqa: PLR2004 - HTTP statuses
        yield failed(ACCESS, f"the server does not answer a question (status {status})", START)
    else:
        yield ok(ACCESS, "questions are answered")


def _pool(api: PrefectApi, pool: str) -> Iterator[Check]:
    status, found = api.get(f"work_pools/{pool}")
    if status == NOT_FOUND:
        yield failed(POOL, f"there is no work pool {pool}, which the deployments name", SET_UP)
        return
    if isinstance(found, dict) and found.get("is_paused"):
        yield failed(POOL, f"{pool} is paused, so no run begins", f"prefect work-pool resume {pool}")
        return
    yield ok(POOL, f"{pool} is there")
    status, workers = api.find(f"work_pools/{pool}/workers/filter", {})
    listed = [one for one in workers if isinstance(one, dict)] if isinstance(workers, list) else []
    online = [one for one in listed if one.get("status") == "ONLINE"]
    if online:
        yield ok(WORKERS, f"{len(online)} online")
        return
    last = max((str(one.get("last_heartbeat_time") or "") for one in listed), default="")
    seen = f"; the last was heard at {last[:19]}" if last else ""
    yield failed(WORKERS, f"no worker of {pool} is online{seen}", f"python -m deployments.worker --pool {pool}")


def _limits(api: PrefectApi, settings: Settings | None) -> Iterator[Check]:
    """The pace of creates that all machines share; without it each has its own, and the service slows them down."""
    resources = [one for one in settings.all_resources() if one.creates_per_minute] if settings is not None else []
    if not resources:
        yield skipped(LIMITS, "no pace is set" if settings is not None else "after settings")
        return
    for resource in resources:
        name, pace = f"batch-avatar-{resource.name}", resource.creates_per_minute or 0.0
        status, found = api.get(f"v2/concurrency_limits/{name}")
        if status == NOT_FOUND or not isinstance(found, dict):
            yield warning(LIMITS, f"there is no limit {name}, so each machine keeps a pace of its own", SET_UP)
            return
        decay = found.get("slot_decay_per_second")
        right = isinstance(decay, int | float) and isclose(decay, pace / 60, rel_tol=1e-6)
        if not (found.get("active") and found.get("limit") == 1 and right):
            yield warning(LIMITS, f"the limit {name} is not that of {pace:g} creates a minute", SET_UP)
            return
    yield ok(LIMITS, f"{len(resources)} of {len(resources)} as the settings say")


def _deployments(api: PrefectApi) -> Iterator[Check]:
    missing = [name for name in EXPECTED if api.get(f"deployments/name/{name}")[0] == NOT_FOUND]
    if missing:
        yield warning(DEPLOYMENTS, f"not deployed: {', '.join(missing)}", "prefect deploy --all")
    else:
        yield ok(DEPLOYMENTS, f"{len(EXPECTED)} are there")


def _automations(api: PrefectApi) -> Iterator[Check]:
    """What acts or tells when a run crashes or hangs, by the beginning of its name (deployments/automations)."""
    _, found = api.find("automations/filter", {})
    listed = [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
    ours = [one for one in listed if str(one.get("name")).startswith(OUR_AUTOMATIONS)]
    off = [str(one.get("name")) for one in ours if not one.get("enabled")]
    if not ours:
        yield warning(AUTOMATIONS, "none of ours is there, so nothing acts on runs that crash or hang", SET_UP)
    elif off:
        yield warning(AUTOMATIONS, f"switched off: {', '.join(off)}", f"prefect automation resume {off[0]!r}")
    else:
        yield ok(AUTOMATIONS, f"{len(ours)} of ours are on")
