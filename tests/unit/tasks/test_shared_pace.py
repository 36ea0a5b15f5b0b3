"""A Prefect server, or what stands in front of it, whose answer to a create makes no sense."""

import asyncio

import httpx
import pytest

from tasks.shared_pace import AWAY_SECONDS, LONGEST_SECONDS, SHORTEST_SECONDS, _SharedPace

GRANTED = [{"id": "1", "name": "batch-avatar-r", "limit": 1}]


def pace_of(prefect_client, answers, csrf=None):
    """A pace whose server gives these answers to creates, and the requests that it got."""
    asked = []

    def answer(request):
        if request.url.path.endswith("/csrf-token"):
            return csrf or httpx.Response(404)
        asked.append(request)
        return answers.pop(0)

    return _SharedPace(prefect_client(answer), "batch-avatar-r"), asked


@pytest.mark.parametrize(
    ("told", "slept"),
    [
        ("Sat, 21 Nov 2026 09:00:20 GMT", 2.0),
        ("Sat, 21 Nov 2026 08:00:00 GMT", SHORTEST_SECONDS),
        ("soon", SHORTEST_SECONDS),
        ("", SHORTEST_SECONDS),
        ("nan", SHORTEST_SECONDS),
        ("inf", LONGEST_SECONDS),
        ("-7", SHORTEST_SECONDS),
        ("12.5", 1.25),
    ],
)
@pytest.mark.usefixtures("flow_run")
async def test_not_yet_with_any_retry_after(clock, prefect_client, told, slept):
    locked = httpx.Response(423, headers={"Retry-After": told})
    pace, asked = pace_of(prefect_client, [locked, httpx.Response(200, json=GRANTED)])
    turn = asyncio.create_task(pace.turn())
    await clock.advance(LONGEST_SECONDS)
    await turn
    assert clock.slept == [pytest.approx(slept)]
    assert len(asked) == 2


async def test_a_proxy_that_answers_for_the_server_delays_no_create(clock, prefect_client, warnings_told):
    pace, asked = pace_of(prefect_client, [], csrf=httpx.Response(200, html="<h1>Sign in</h1>"))
    await pace.turn()
    await pace.turn()
    assert (asked, clock.slept) == ([], [])
    assert len(warnings_told) == 1
    assert "the shared limit batch-avatar-r cannot be asked" in warnings_told[0]
    await clock.advance(AWAY_SECONDS)
    await pace.turn()
    assert len(warnings_told) == 1, "the same kind of error is told once"
