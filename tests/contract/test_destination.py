"""Results in the user's own container."""

import json
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from azure.storage.blob import generate_blob_sas, generate_container_sas

TWO = [{"content": "First."}, {"content": "Second, a little longer."}]


@pytest.fixture
def container(user_storage):
    client = user_storage.create_container(f"own-{uuid.uuid4().hex[:12]}")
    yield client
    client.close()


@pytest.fixture
def sign(container, user_storage):
    def make(*, hours=1.0, permission="rwdl", **options):
        signature = generate_container_sas(
            user_storage.account_name,
            container.container_name,
            account_key=user_storage.credential.account_key,
            permission=permission,
            expiry=datetime.now(UTC) + timedelta(hours=hours),
            **options,
        )
        return f"{container.url}?{signature}"

    return make


def test_several_inputs_are_numbered_in_order_under_the_internal_id(speech, make_body, sign, container, check_schema):
    job = speech.finished(body=make_body(inputs=TWO, properties={"destinationContainerUrl": sign()}))
    folder = job["internalId"]
    assert sorted(container.list_blob_names()) == [
        f"{folder}/0001.mp4",
        f"{folder}/0002.mp4",
        f"{folder}/summary.json",
    ]
    assert job["outputs"] == {"result": folder, "summary": f"{folder}/summary.json"}
    assert job["properties"]["succeededCount"] == 2
    assert job["properties"]["durationInMilliseconds"] == 1000 + 1600
    with container.get_blob_client(f"{folder}/summary.json") as blob:
        summary = json.loads(blob.download_blob().readall())
    check_schema(summary, "summary")
    assert [result["texts"] for result in summary["results"]] == [["First."], ["Second, a little longer."]]


def test_the_destination_path_is_put_before_the_internal_id(speech, make_body, sign, container):
    properties = {"destinationContainerUrl": sign(), "destinationPath": "a/b/"}
    job = speech.finished(body=make_body(properties=properties))
    assert job["outputs"]["result"] == f"a/b/{job['internalId']}"
    assert f"a/b/{job['internalId']}/0001.mp4" in container.list_blob_names()


def test_the_container_url_is_never_shown_again(speech, make_body, sign):
    body = make_body(properties={"destinationContainerUrl": sign()})
    assert "sig=" not in speech.put(body=body).text
    speech.emulator.settle()
    assert "sig=" not in speech.get().text
    assert "sig=" not in speech.list().text
    assert "sig=" not in str(speech.emulator.jobs())


def test_checking_the_container_leaves_nothing_in_it(start, make_body, sign, container):
    speech = start()
    speech.created(body=make_body(properties={"destinationContainerUrl": sign()}))
    speech.emulator.settle()
    assert len(list(container.list_blob_names())) == 2


@pytest.mark.parametrize(
    "fault",
    ["expired", "read_only", "stored_policy", "unsigned", "other_host", "tampered", "blob", "no_url"],
)
def test_a_link_that_cannot_be_written_to_is_refused_as_problem_details(speech, make_body, sign, container, fault):
    good = sign()
    urls = {
        "expired": lambda: sign(hours=-0.1),
        "read_only": lambda: sign(permission="rl"),
        "stored_policy": lambda: sign(policy_id="policy"),
        "unsigned": lambda: container.url,
        "other_host": lambda: good.replace("127.0.0.1", "storage.example.com"),
        "tampered": lambda: good.replace("sig=", "sig=A"),
        "blob": lambda: _sign_blob(container),
        "no_url": lambda: "container",
    }
    body = make_body(properties={"destinationContainerUrl": urls[fault]()})
    answer = speech.put(body=body, shape="problemDetails")
    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == ["Properties.DestinationContainerUrl"]
    assert speech.get().status_code == 404


def _sign_blob(container):
    signature = generate_blob_sas(
        container.account_name,
        container.container_name,
        "x",
        account_key=container.credential.account_key,
        permission="rw",
        expiry=datetime.now(UTC) + timedelta(hours=1),
    )
    return f"{container.url}?{signature}"


@pytest.mark.parametrize("taken", [True, False])
def test_delete_takes_the_users_blobs_along_unless_switched_off(start, make_body, sign, container, taken):
    speech = start(delete_destination_blobs=taken)
    speech.finished(body=make_body(properties={"destinationContainerUrl": sign()}))
    assert speech.delete().status_code == 204
    assert len(list(container.list_blob_names())) == (0 if taken else 2)
