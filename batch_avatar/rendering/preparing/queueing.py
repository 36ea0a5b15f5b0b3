"""The scripts that would be created: what each is predicted to take, where it can be rendered, and their queue."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from batch_avatar.errors import Stopped
from batch_avatar.planning.forecast import Place
from batch_avatar.planning.order import Order, Queue, Waiting
from batch_avatar.planning.packing import input_bytes, pack_key
from batch_avatar.planning.plan import Action, PlanState
from batch_avatar.planning.prices import predicted_usage
from batch_avatar.rendering.outcomes import facts_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from batch_avatar.errors import BatchAvatarError
    from batch_avatar.models import Script
    from batch_avatar.planning.plan import Plan, PlanItem
    from batch_avatar.planning.prices import Usage
    from batch_avatar.rendering.run import Run

RENDER_SECONDS = 60.0
"""How much longer a job that is under way is taken to need. A choice: half of what a job of 100 s of video takes."""
NOBODY = Stopped("no resource supports its character or voice (see `unsupported` in the settings)", code="NoResource")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A script that would be created. `hosts`: of the resources that can render it. `key`: as in `pack_key`."""

    waiting: Waiting
    usage: Usage
    hosts: frozenset[str]
    key: str | None

    @property
    def number(self) -> int:
        return self.waiting.number


def candidates(run: Run, items: Sequence[PlanItem], scripts: Sequence[Script], *, packed: bool) -> dict[int, Candidate]:
    """Return the scripts that would be created, by number. Each script is read once, as it may lie on disk."""
    found = {}
    for number, item in enumerate(items):
        if item.action(rerender_lost=run.permits.rerender_lost) is not Action.CREATE:
            continue
        script = scripts[number]
        guess = run.predictor.predict(script)
        found[number] = Candidate(
            Waiting(item, number, guess.render_seconds, input_bytes(script) if packed else 0),
            predicted_usage(script, guess),
            hosts_for(run, script),
            pack_key(script) if packed and item.to_create else None,  # with a claim it goes alone
        )
    return found


def hosts_for(run: Run, script: Script) -> frozenset[str]:
    """Return the hosts of the resources that can render the script, as far as the settings say."""
    return frozenset(host for host, known in run.connections.resources.items() if known.can_render(script))


def judge_places(
    run: Run, items: Sequence[PlanItem], known: Mapping[int, Candidate]
) -> tuple[tuple[PlanItem, ...], dict[int, Candidate]]:
    """Refuse the scripts that no resource can render, or only resources that are set aside. Return also the others."""
    judged, left = list(items), {}
    for number, candidate in known.items():
        if items[number].to_create and (reason := _nowhere(run, candidate)) is not None:
            judged[number] = replace(items[number], failure=facts_of(reason))
        else:
            left[number] = candidate
    return tuple(judged), left


def _nowhere(run: Run, candidate: Candidate) -> BatchAvatarError | None:
    aside = [run.connections.resources[host].set_aside for host in candidate.hosts]
    if not aside:
        return NOBODY
    return aside[-1] if None not in aside else None


def in_turn(known: Mapping[int, Candidate], order: Order) -> list[int]:
    """Return the numbers as they would be sent: first those with a claim, as they wait for no turn in the queue."""

    def turn(number: int) -> tuple[bool, float, int]:
        waiting = known[number].waiting
        return waiting.item.to_create, -waiting.seconds if order is Order.LONGEST else 0.0, number

    return sorted(known, key=turn)


def places_of(run: Run, plan: Plan) -> list[Place]:
    """Return the resources as a forecast sees them. Jobs of others are taken to keep their slots."""
    adopted: Counter[str] = Counter(item.resource for item in plan.items if item.state is PlanState.ALIVE)
    places = []
    for host, known in run.connections.resources.items():
        if known.set_aside is None:
            others = max(0, plan.unfinished.get(host, 0) - adopted[host])
            busy = (RENDER_SECONDS,) * adopted[host]
            places.append(Place(host, known.admission.spacing_seconds, known.admission.slots - others, busy))
    return places


def queue_of(known: Iterable[Candidate], order: Order, *, all_of_them: bool = False) -> Queue:
    """Return the queue of those that wait for a create. Those with a claim do not, unless `all_of_them` are wanted."""
    queue = Queue(order)
    for candidate in known:
        if all_of_them or candidate.waiting.item.to_create:
            queue.add(candidate.waiting, hosts=candidate.hosts, key=candidate.key)
    return queue
