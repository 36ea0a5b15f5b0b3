"""When a batch ends: small cases worked out by hand."""

import pytest

from batch_avatar.planning.forecast import AFTER_SECONDS, Forecast, Place, forecast
from batch_avatar.planning.order import Order, Queue, Waiting
from batch_avatar.planning.packing import PackSizer
from batch_avatar.planning.plan import PlanItem, PlanState


def queue(*seconds, hosts=("a",), key=None, order=Order.LONGEST):
    filled = Queue(order)
    for number, one in enumerate(seconds):
        item = PlanItem(f"s{number}", "0" * 16, PlanState.NEW)
        filled.add(Waiting(item, number, one), hosts=frozenset(hosts), key=key)
    return filled


def ends(found):
    return found.ends_seconds - AFTER_SECONDS


def test_nothing_to_do_takes_no_time():
    assert forecast(queue(), [Place("a", 30, 200)]) == Forecast(0.0, 0.0, ())


def test_creates_are_paced_and_the_longest_goes_first():
    found = forecast(queue(50, 100, 60), [Place("a", 30, 200)])

    assert found.packs == ((1,), (2,), (0,))
    assert (found.last_create_seconds, ends(found)) == (60, 110)  # 0 + 100, 30 + 60, 60 + 50


def test_slots_are_waited_for():
    found = forecast(queue(10, 10, 10), [Place("a", 0, 2)])
    assert (found.last_create_seconds, ends(found)) == (10, 20)


def test_slots_of_jobs_under_way_are_free_when_these_end():
    found = forecast(queue(10), [Place("a", 0, 1, busy_seconds=(40,))])
    assert (found.last_create_seconds, ends(found)) == (40, 50)


def test_a_batch_ends_no_sooner_than_the_jobs_that_it_adopted():
    assert ends(forecast(queue(), [Place("a", 0, 2, busy_seconds=(70,))])) == 70


def test_each_resource_takes_the_next_script_when_it_may_create():
    found = forecast(queue(*[60] * 6, hosts=("a", "b")), [Place("a", 30, 200), Place("b", 10, 200)])
    assert (found.jobs, found.last_create_seconds) == (6, 30)  # a at 0, 30; b at 0, 10, 20, 30


def test_a_script_waits_for_a_resource_that_can_render_it():
    found = forecast(queue(60, 60, hosts=("b",)), [Place("a", 1, 200), Place("b", 30, 200)])
    assert found.last_create_seconds == 30


def test_a_pack_takes_as_long_as_its_inputs_together():
    found = forecast(queue(10, 20, 30, key="k"), [Place("a", 30, 200)], sizer=PackSizer(2))
    assert found.packs == ((2, 1), (0,))
    assert ends(found) == pytest.approx(50)  # 30 + 20 from the start; the other is done at 30 + 10


def test_packs_of_the_best_size_need_fewer_jobs():
    found = forecast(queue(*[60] * 100, key="k"), [Place("a", 30, 200)], sizer=PackSizer(None))
    assert found.jobs < 40
    assert sorted(number for pack in found.packs for number in pack) == list(range(100))
