"""What the machine plays with: one emulated resource, one archive, five scripts."""

from __future__ import annotations

import secrets
from functools import partial
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

import requests
from azure.storage.blob import ContainerClient

from batch_avatar.emulator.options import EmulatorOptions
from batch_avatar.emulator.storage.azurite import SERVICE_ACCOUNT, USER_ACCOUNT
from batch_avatar.emulator.web.server import EmulatorServer
from batch_avatar.settings import load_settings
from tests.chaos.arena import GA, PREVIEW
from tests.chaos.machine.clock import HONEST_SECONDS, ImpatientClock
from tests.chaos.machine.evidence import Reader
from tests.chaos.machine.runs import PATIENCE_SECONDS, Leaving, Run, run_at_once
from tests.support.scripts import LOOK, script
from tests.support.waiting import until

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from batch_avatar.emulator.storage.azurite import Azurite
    from batch_avatar.models import Script
    from batch_avatar.rendering.connections import Connections
    from batch_avatar.settings import Settings
    from tests.chaos.machine.runs import Ended, Stop

NAMES = tuple(f"s{number}" for number in range(5))
LAG_SECONDS = 0.2  # of the list behind creates
SETTLE_SECONDS = 0.5  # for which absences must agree, so that the lag deceives nobody
assert LAG_SECONDS < SETTLE_SECONDS <= HONEST_SECONDS
MAX_ATTEMPTS = 2
CLAIM_SECONDS, TIMEOUT_SECONDS = 8.0, 2.0  # as in `arena.AGEING`
SHORT_DEADLINES = {"start_deadline_seconds": 1.0, "job_deadline_seconds": 1.2}  # where a stuck job is about


class World:
    def __init__(
        self, azurite: Azurite, *, api_version: str, members: Mapping[str, Any] | None = None, **options: Any
    ) -> None:
        """`members`: of every script, besides its look."""
        self.emulator = EmulatorServer(
            EmulatorOptions(
                creates_per_minute=0,
                media="minimal",
                **{"minimal_size_bytes": 1024} | options,
                storage_front=True,
                list_lag_seconds=LAG_SECONDS,
            ),
            storage_connection_string=azurite.connection_string(SERVICE_ACCOUNT),
        ).start()
        self.api_version = api_version
        self.endpoint = self.emulator.endpoint
        self.kept_back: Callable[[], int] = lambda: 0
        """Creates that have left and that something on the way keeps from the service."""
        self.patience_seconds = PATIENCE_SECONDS
        self.more: dict[str, Any] = {}
        """Settings of all runs from now on, also such as nobody may set."""
        self.connect = partial(ContainerClient.from_connection_string, azurite.connection_string(USER_ACCOUNT))
        """Straight to a container of the user's storage."""
        self._members = dict(members or {})
        self._storage_url = azurite.url
        self._connection_string = azurite.connection_string(USER_ACCOUNT)
        self._container_name = f"machine-{secrets.token_hex(6)}"
        self.container = self.connect(self._container_name)
        self.reader = Reader(self.emulator, self.container)
        self._clock = ImpatientClock()
        self._versions = dict.fromkeys(NAMES, 0)
        self._runs = 0
        self._released: set[str] = set()

    def lead_storage_by(self, url: str) -> None:
        """The way of all runs to the storage from now on; what is read to judge them goes straight."""
        self._connection_string = self._connection_string.replace(self._storage_url, url)

    def close(self) -> None:
        self.container.close()
        self.emulator.stop()

    def calm_down(self, *, release: bool) -> None:
        """No more faults; what is stuck goes on, or stays."""
        self.emulator.clear_faults()
        if release:
            self.emulator.release()
            self._released |= {job["internal_id"] for job in self.emulator.jobs()}

    def stuck(self) -> bool:
        return any(
            job["fault"] == "stick_job" and not job["terminal"] and not job["removed"]
            for job in self.emulator.jobs()
            if job["internal_id"] not in self._released
        )

    def edit(self, names: list[str], version: int) -> None:
        self._versions |= dict.fromkeys(names, version)

    def texts(self, names: list[str]) -> str:
        """The scripts with the versions of their texts, as the trace shows them."""
        return ",".join(f"{name}/{self._versions[name]}" for name in names)

    def scripts(self, names: list[str]) -> list[Script]:
        return [script(name, content=self.text(name), **self._members) for name in names]

    def text(self, name: str) -> str:
        """Of lengths that differ, as shares of a bill then do."""
        return f"Hello, I am {name}, for the {self._versions[name]}. time." + " And again." * NAMES.index(name)

    def add_strangers(self) -> set[str]:
        """Jobs of others, by direct requests: one without a mark, one with the mark of another archive."""
        self._post("greeting-of-others", "hands off")
        self._post("s0-0123456789abcdef-1", f"batch-avatar:{'f' * 16}")
        self.emulator.advance(LAG_SECONDS)
        return {job["internal_id"] for job in self.emulator.jobs()}

    def _post(self, name: str, description: str) -> None:
        avatar = {"talkingAvatarCharacter": "lisa", "talkingAvatarStyle": "casual-sitting"}
        about = {"description": description, "synthesisConfig": {"voice": LOOK["voice"]}}
        if self.api_version == GA:
            url = f"{self.emulator.endpoint}/avatar/batchsyntheses/{name}?api-version={GA}"
            body = about | {"inputKind": "PlainText", "inputs": [{"content": "Hello."}], "avatarConfig": avatar}
        else:
            url = f"{self.emulator.endpoint}/api/texttospeech/{PREVIEW}/batchsynthesis/talkingavatar"
            body = about | {
                "displayName": name,
                "textType": "PlainText",
                "inputs": [{"text": "Hello."}],
                "properties": avatar,
            }
        answer = requests.request(
            "PUT" if self.api_version == GA else "POST",
            url,
            json=body,
            headers={"Ocp-Apim-Subscription-Key": self.emulator.key},
            timeout=30,
        )
        assert answer.status_code == 201, answer.text

    def _may_stick(self) -> bool:
        """Whether a job that is created now may get stuck; the machine's rules have an end."""
        return any(
            one["rule"]["action"]["kind"] == "stick_job" and one["fired"] < one["rule"]["at_most"]
            for one in self.emulator.stats()["faults"]
        )

    def _settings(self) -> Settings:
        return load_settings(
            endpoint=self.endpoint,
            speech_key=self.emulator.key,
            api_version=self.api_version,
            storage_connection_string=self._connection_string,
            container=self._container_name,
            creates_per_minute=0,
            poll_interval_seconds=0.1,
            claim_seconds=CLAIM_SECONDS,
            request_timeout_seconds=TIMEOUT_SECONDS,
            settle_seconds=SETTLE_SECONDS,
            max_attempts=MAX_ATTEMPTS,
            max_changed_scripts=1,
            **(SHORT_DEADLINES if self._may_stick() or self.stuck() else {}),
        ).model_copy(update=self.more)

    def run(
        self, *works: Callable[[Connections], Awaitable[Any]], stops: Sequence[Stop | None] = (), create: bool = True
    ) -> list[Ended]:
        """All works at once, with all that they send. `create=False`: no archive is made where there is none."""
        first, self._runs = self._runs, self._runs + len(works)
        runs = [
            Run(f"run-{first + number:03d}", work, stop, create)
            for number, (work, stop) in enumerate(zip_longest(works, stops))
        ]
        arrived, leaving = self._arrived(), Leaving()
        ended = run_at_once(
            runs,
            self._settings(),
            self._clock,
            leaving,
            patience_seconds=self.patience_seconds,
        )
        arrived += leaving.count
        assert until(self._arrived, arrived) == arrived, "creates are still under way"
        return ended

    def _arrived(self) -> int:
        """Creates with which the service is through, or which it will never see."""
        return sum(self.emulator.stats()["requests"].get("create", {}).values()) + self.kept_back()
