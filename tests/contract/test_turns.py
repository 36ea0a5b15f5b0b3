"""What one thread or job does while another is still at it."""

import json
import threading

import pytest
import requests

from batch_avatar.emulator.clock import ServiceClock
from batch_avatar.emulator.faults import StickJob
from batch_avatar.emulator.jobs.job import Job
from batch_avatar.emulator.jobs.validation import parse_request
from batch_avatar.emulator.options import EmulatorOptions, Progression
from batch_avatar.emulator.service.allowance import Allowance
from batch_avatar.emulator.service.job_store import JobStore
from tests.support.waiting import ANSWER_SECONDS, until

OVERTAKING_SECONDS = 0.2  # whom a lock lets pass takes far less; whom it does not, all of it


class OvertakenClock(ServiceClock):
    """Whoever reads it next is overtaken between reading and acting, if nothing keeps `other` from it."""

    def __init__(self):
        super().__init__(stepped=True)
        self.other = None

    def overtake(self, act):
        self.other = threading.Thread(target=act)

    def now(self):
        reading = super().now()
        if self.other is not None and self.other.ident is None:
            self.other.start()
            self.other.join(OVERTAKING_SECONDS)
        return reading


@pytest.fixture
def clock():
    return OvertakenClock()


@pytest.mark.parametrize(
    "ask",
    [JobStore.unfinished, JobStore.history, lambda store: store.release(None), lambda store: store.find_operation("o")],
    ids=["unfinished", "history", "release", "find_operation"],
)
def test_a_job_never_moves_back(clock, make_body, ask):
    options = EmulatorOptions(progression=Progression.after_seconds(start_delay=5))
    store = JobStore(options, clock)
    request = parse_request(json.dumps(make_body()).encode(), options)
    stuck = StickJob(status="Running")  # what `release` is for
    job = Job("job-1", "job-1", "i", "o", 0, request, created=clock.now(), fault=stuck)
    store.admit(job, fingerprint="")

    def read_later():
        clock.advance(10)
        store.find("job-1", read=True)

    clock.overtake(read_later)
    ask(store)
    clock.other.join()
    assert job.status == "Running"


def test_creates_are_counted_in_the_order_of_their_times(clock):
    allowance = Allowance(1, clock)

    def create_later():
        clock.advance(61)
        allowance.spend()

    clock.overtake(create_later)
    allowance.spend()
    clock.other.join()


def test_the_late_removal_of_a_replaced_job_leaves_the_new_one_its_blobs(start, road):
    speech = start(storage_url=road.url, repeat_put="replace")
    speech.finished()
    with road.held(lambda method, path: method == "DELETE" and "/0001.mp4" in path) as removal:
        speech.created()
        assert removal.arrived.wait(ANSWER_SECONDS)
        assert until(speech.status, "Succeeded") == "Succeeded"
    assert _outputs_of(speech) == [200, 200]


@pytest.mark.parametrize("step", ["comp=block&", "comp=blocklist"])
def test_a_replaced_job_that_still_renders_leaves_the_new_one_its_blobs(start, road, step):
    speech = start(storage_url=road.url, repeat_put="replace")
    with road.held(lambda method, path: method == "PUT" and "/summary.json" in path and step in path) as rendering:
        speech.created()
        assert rendering.arrived.wait(ANSWER_SECONDS)
        speech.created()
        assert until(speech.status, "Succeeded") == "Succeeded"
    assert _outputs_of(speech) == [200, 200]


def test_the_late_removal_of_a_deleted_job_leaves_the_next_of_its_id_its_blobs(start, road):
    speech = start(storage_url=road.url)
    speech.finished()
    with road.held(lambda method, path: method == "DELETE" and "/0001.mp4" in path) as removal:
        deleting = threading.Thread(target=speech.delete)
        deleting.start()
        assert removal.arrived.wait(ANSWER_SECONDS)
        speech.finished()
    deleting.join()
    assert _outputs_of(speech) == [200, 200]


def _outputs_of(speech):
    speech.emulator.settle()
    links = speech.get().json()["outputs"].values()
    return [requests.get(link, timeout=ANSWER_SECONDS).status_code for link in links]
