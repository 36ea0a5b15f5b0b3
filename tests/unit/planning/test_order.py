"""Which script goes next, and where."""

from hypothesis import given
from hypothesis import strategies as st

from batch_avatar.planning.order import Order, Queue, Waiting
from batch_avatar.planning.plan import PlanItem, PlanState

A, B, C = "a.example", "b.example", "c.example"
LONGEST, MANIFEST = Order.LONGEST, Order.MANIFEST


def waiting(number, seconds=1.0, size_bytes=0):
    return Waiting(PlanItem(f"s{number}", "0" * 16, PlanState.NEW), number, seconds, size_bytes)


def queue(order, *scripts, hosts=(A,), key=None):
    """Of scripts that are as long as said."""
    q = Queue(order)
    for number, seconds in enumerate(scripts):
        q.add(waiting(number, seconds), hosts=frozenset(hosts), key=key)
    return q


def numbers(taken):
    return [one.number for one in taken]


def drain(q, host, count=1):
    return [numbers(taken) for taken in iter(lambda: q.take(host, lambda _: count), [])]


# Order


def test_the_longest_goes_first_and_of_equals_the_first_given():
    assert drain(queue(LONGEST, 3, 9, 1, 9, 9), A) == [[1], [3], [4], [0], [2]]


def test_manifest_order_is_the_order_of_the_manifest():
    assert drain(queue(MANIFEST, 3, 9, 1), A) == [[0], [1], [2]]


def test_manifest_order_holds_across_scripts_that_different_resources_can_do():
    q = Queue(MANIFEST)
    for number, hosts in enumerate([{A}, {A, B}, {A}, {A, B}]):
        q.add(waiting(number), hosts=frozenset(hosts))

    assert drain(q, A) == [[0], [1], [2], [3]]


def test_a_script_that_is_added_later_takes_its_place_in_the_order():
    q = queue(LONGEST, 5, 1)
    assert numbers(q.take(A)) == [0]

    q.add(waiting(7, 3), hosts=frozenset({A}))

    assert drain(q, A) == [[7], [1]]


def test_longest_first_holds_also_among_scripts_that_may_not_share_a_job():
    """One long video under properties of its own would otherwise start last, after many short ones."""
    q = Queue(LONGEST)
    for number in range(40):
        q.add(waiting(number, 60), hosts=frozenset({A}), key="short")
    q.add(waiting(99, 1800), hosts=frozenset({A}), key="long")

    assert numbers(q.take(A)) == [99]


# Resources


def test_a_resource_helps_where_the_most_work_is_left_for_each_that_can_do_it():
    q = Queue(LONGEST)
    for number in range(3):
        q.add(waiting(number, 10), hosts=frozenset({A, B, C}))  # 10 s for each of the three
    q.add(waiting(9, 12), hosts=frozenset({A}))  # 12 s for A alone

    assert numbers(q.take(A)) == [9]
    assert numbers(q.take(A)) == [0]


def test_a_resource_that_can_do_nothing_of_it_gets_nothing():
    q = queue(LONGEST, 1, 2, hosts=(A,))

    assert not q.waits_for(B)
    assert q.take(B) == []
    assert len(q) == 2


def test_what_nobody_can_do_is_never_taken_and_left_over():
    q = Queue(LONGEST)
    q.add(waiting(0), hosts=frozenset())

    assert not any(q.waits_for(host) or q.take(host) for host in (A, B, C))
    assert [(one.number, hosts) for one, hosts in q.rest()] == [(0, frozenset())]


def test_the_rest_is_all_that_was_not_taken_with_who_could_have_done_it():
    q = queue(LONGEST, 1, 2, 3, hosts=(A, B))
    q.take(A)

    assert sorted((one.number, hosts) for one, hosts in q.rest()) == [(0, {A, B}), (1, {A, B})]


def test_an_empty_queue_waits_for_nobody():
    q = queue(LONGEST, 1)
    q.take(A)

    assert not q.waits_for(A)
    assert (len(q), q.take(A), q.rest()) == (0, [], [])


# Shared jobs


def test_scripts_that_share_a_job_are_those_of_one_key():
    q = Queue(LONGEST)
    for number in range(4):
        q.add(waiting(number, 10 - number), hosts=frozenset({A}), key="even" if number % 2 == 0 else "odd")

    assert sorted(map(sorted, drain(q, A, count=4))) == [[0, 2], [1, 3]]


def test_without_a_key_everyone_goes_alone_whatever_the_count():
    assert drain(queue(LONGEST, 1, 2, 3), A, count=3) == [[2], [1], [0]]


def test_whoever_counts_sees_what_is_left_and_the_sizes_in_the_order_of_taking():
    q = Queue(LONGEST)
    for number, (seconds, size) in enumerate([(1, 100), (3, 300), (2, 200)]):
        q.add(waiting(number, seconds, size), hosts=frozenset({A}), key="k")
    seen = []

    def count(lane):
        seen.append((list(lane.seconds()), lane.total_seconds, lane.sizes(2), lane.sizes(9)))
        return 2

    assert numbers(q.take(A, count)) == [1, 2]
    assert numbers(q.take(A, count)) == [0]
    assert seen == [([3, 2, 1], 6, [300, 200], [300, 200, 100]), ([1], 1, [100], [100])]


# Whatever the scripts and resources are

SCRIPTS = st.lists(
    st.tuples(
        st.floats(0, 1e5),
        st.frozensets(st.sampled_from([A, B, C])),
        st.sampled_from([None, "k1", "k2"]),
    ),
    max_size=30,
)
TAKES = st.lists(st.tuples(st.sampled_from([A, B, C]), st.integers(1, 5)), max_size=60)


@given(SCRIPTS, TAKES, st.sampled_from(Order))
def test_everything_is_taken_once_by_somebody_who_can_do_it_or_is_left_over(scripts, takes, order):
    q = Queue(order)
    for number, (seconds, hosts, key) in enumerate(scripts):
        q.add(waiting(number, seconds), hosts=hosts, key=key)
    gone = []
    for host, count in takes:
        could = q.waits_for(host)
        taken = q.take(host, lambda _, count=count: count)
        assert bool(taken) is could
        assert len(taken) <= count
        assert all(host in scripts[one.number][1] for one in taken)
        assert len({scripts[one.number][1:] for one in taken}) <= 1, "one job, one key and one set of resources"
        assert len(taken) <= 1 or scripts[taken[0].number][2] is not None
        gone += numbers(taken)

    left = [one.number for one, _ in q.rest()]
    assert sorted(gone + left) == list(range(len(scripts)))
    assert len(q) == len(left)


@given(st.lists(st.floats(0, 1e5), min_size=1, max_size=30))
def test_one_resource_without_keys_takes_in_falling_length(lengths):
    taken = drain(queue(LONGEST, *lengths), A)

    assert [lengths[number] for [number] in taken] == sorted(lengths, reverse=True)
