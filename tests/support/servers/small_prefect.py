"""A small server that answers a few questions as Prefect's API does; a test compares it with a real one."""

from __future__ import annotations

import json
from base64 import b64encode
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler

from tests.support.loopback import Loopback

POOL = {"name": "batch-avatar", "type": "process", "is_paused": False}
WORKER = {"name": "w-1", "status": "ONLINE", "last_heartbeat_time": "2026-12-01T09:00:00Z"}
DEPLOYED = ("render-batch/ad-hoc", "render-script/ad-hoc", "render-inbox/scheduled", "sweep-jobs/hourly")


@dataclass
class World:
    """What the server knows. `limits` by name; `login` is `user:password` where one is asked for."""

    version: str = "3.8.8"
    login: str = ""
    csrf: bool = False
    pool: dict | None = field(default_factory=lambda: dict(POOL))
    workers: list = field(default_factory=lambda: [dict(WORKER)])
    limits: dict = field(default_factory=dict)
    deployed: tuple = DEPLOYED
    automations: list = field(default_factory=lambda: [{"name": "batch-avatar: crash", "enabled": True}])
    health: int = 200
    breaks_off: str = ""
    """Requests to paths with these letters get no answer."""


class SmallPrefect(Loopback):
    """`api_url` is its address, as PREFECT_API_URL has it."""

    def __init__(self) -> None:
        super().__init__(_Answering)
        self.world = World()
        self.api_url = f"{self.url}/api"


class _Answering(BaseHTTPRequestHandler):
    def handle_one_request(self) -> None:
        self.raw_requestline = self.rfile.readline(65537)
        letters = self.server.world.breaks_off
        if not self.raw_requestline or not self.parse_request() or (letters and letters in self.path):
            self.close_connection = True
            return
        getattr(self, f"do_{self.command}")()

    def do_GET(self) -> None:
        world, path = self.server.world, self.path.partition("?")[0]
        deployments = {f"/api/deployments/name/{name}": {"name": name} for name in world.deployed}
        limits = {f"/api/v2/concurrency_limits/{name}": limit for name, limit in world.limits.items()}
        pools = {f"/api/work_pools/{world.pool['name']}": world.pool} if world.pool else {}
        known = {"/api/admin/version": world.version, **deployments, **limits, **pools}
        if path == "/api/health":
            self._say(world.health, True)  # noqa: FBT003 - the answer itself
        elif not self._may():
            self._say(401, {"exception_message": "Unauthorized"})
        elif path == "/api/csrf-token":
            self._say(200, {"token": "t-1"}) if world.csrf else self._say(
                422, {"detail": "CSRF protection is disabled."}
            )
        elif path in known:
            self._say(200, known[path])
        else:
            self._say(404, {"detail": "Not Found"})

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        world = self.server.world
        known = {
            "/api/flows/count": 0,
            "/api/work_pools/batch-avatar/workers/filter": world.workers,
            "/api/automations/filter": world.automations,
        }
        if not self._may():
            self._say(401, {"exception_message": "Unauthorized"})
        elif world.csrf and self.headers["Prefect-Csrf-Token"] != "t-1":
            self._say(403, {"detail": "Missing CSRF token."})
        elif self.path in known:
            self._say(200, known[self.path])
        else:
            self._say(404, {"detail": "Not Found"})

    def _may(self) -> bool:
        login = self.server.world.login
        return not login or self.headers["Authorization"] == f"Basic {b64encode(login.encode()).decode()}"

    def _say(self, status: int, value: object) -> None:
        content = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Nothing."""
