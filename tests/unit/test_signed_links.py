"""Pictures behind links that are signed anew each day: one picture, one id, and no signature that is kept."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from batch_avatar.archive.index import ArchiveIndex, claim_metadata, receipt_metadata
from batch_avatar.archive.records import Claim
from batch_avatar.identity import (
    content_ids,
    derive_content_id,
    derive_job_id,
    form_digest,
    holds_signed_link,
    known_forms,
    mark_description,
    recorded_form,
    signed_properties,
    text_digests,
)
from batch_avatar.models import Script, SynthesisJob
from batch_avatar.planning.permits import Permits
from batch_avatar.planning.plan import PlanState
from batch_avatar.planning.reconciliation import reconcile
from batch_avatar.receipt import Attempt, Receipt, StoredBlob
from batch_avatar.safe_text.redaction import redact
from batch_avatar.service.wire.voices import voice_names

ARCHIVE = "00112233445566aa"
NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
PICTURE = "https://pictures.example/sky.png"
V4 = "{p}Algorithm=A&{p}Credential=C%2F{day}&{p}Date={day}T09&{p}Expires=3600&{p}SignedHeaders=host&{p}Signature=s{day}"
SIGNED = {
    "azure": "sv=2024-11-04&se=2026-11-{day}&sr=b&sp=r&sig=s{day}",
    "azure in capitals": "SV=2024-11-04&SE=2026-11-{day}&SR=b&SP=r&SIG=s{day}",
    "s3": V4.replace("{p}", "X-Amz-"),
    "s3 with a session": V4.replace("{p}", "X-Amz-") + "&X-Amz-Security-Token=t{day}",
    "s3 in lower case": V4.replace("{p}", "X-Amz-").lower(),
    "s3, version 2": "AWSAccessKeyId=A&Signature=s{day}&Expires={day}",
    "gcs": V4.replace("{p}", "X-Goog-"),
    "gcs, version 2": "GoogleAccessId=G&Expires={day}&Signature=s{day}",
    "cloudfront": "Expires={day}&Signature=s{day}&Key-Pair-Id=K",
    "cloudfront with a policy": "Policy=p{day}&Signature=s{day}&Key-Pair-Id=K{day}",
}
NOT_SIGNED = [
    "token={day}",
    "Signature={day}",
    "Signature={day}&Expires={day}",
    "Key-Pair-Id=K&Expires={day}",
    "Policy={day}&Expires={day}",
    "X-Amz-Signature={day}",
    "X-Amz-Date={day}&X-Amz-Expires=3600",
    "X-Goog-Date={day}",
    "SIG={day}",
    "se={day}&sv=1",
    "AWSAccessKeyId=A&Expires={day}",
]


def script(query="", **members):
    given = {"script_id": "intro", "content": "Hi.", "voice": "v", "talking_avatar_character": "lisa"}
    image = {"background_image": f"{PICTURE}?{query}"} if query else {}
    return Script.model_validate(given | image | members)


def on(day, query):
    return query.replace("{day}", str(day))


def content_id(one):
    return derive_content_id(one, archive_id=ARCHIVE)


@pytest.mark.parametrize("name", SIGNED)
def test_a_picture_that_is_signed_anew_is_the_same_picture(name):
    bare = content_id(script(background_image=PICTURE))

    assert {content_id(script(on(day, SIGNED[name]))) for day in (21, 22)} == {bare}


@pytest.mark.parametrize("name", SIGNED)
def test_what_else_a_signed_link_says_still_matters(name):
    ids = {content_id(script(f"width={width}&{on(21, SIGNED[name])}")) for width in (10, 20)}

    assert ids == {content_id(script(f"width={width}")) for width in (10, 20)}
    assert len(ids) == 2


@pytest.mark.parametrize("query", NOT_SIGNED)
def test_a_part_of_a_signature_is_none(query):
    one, other = script(on(21, query)), script(on(22, query))

    assert content_id(one) != content_id(other)
    assert signed_properties(one) == []
    assert len(content_ids(one, archive_id=ARCHIVE)) == 1


@pytest.mark.parametrize("name", SIGNED)
def test_no_part_of_a_signature_is_recorded(name):
    assert recorded_form(script(on(21, SIGNED[name])))["background_image"] == PICTURE


@pytest.mark.parametrize("name", SIGNED)
def test_a_property_that_holds_any_of_these_signatures_is_named(name):
    assert signed_properties(script(on(21, SIGNED[name]))) == ["background_image"]


@pytest.mark.parametrize("name", SIGNED)
def test_ssml_that_names_a_signed_link_is_named_and_the_link_stays_in_the_id(name):
    def ssml(day):
        link = f"{PICTURE}?{on(day, SIGNED[name])}".replace("&", "&amp;")
        return script(input_kind="SSML", content=f"<speak><voice name='v'><audio src='{link}'/></voice></speak>")

    assert signed_properties(ssml(21)) == ["content"]
    assert content_id(ssml(21)) != content_id(ssml(22))


@pytest.mark.parametrize("name", SIGNED)
def test_a_signature_is_shown_in_no_message(name):
    assert "s21" not in redact(f"cannot read {PICTURE}?{on(21, SIGNED[name])}")


def test_a_link_that_is_none_has_no_signature_and_an_id():
    one = script(background_image="https://[bad?sig=x&se=1")

    assert signed_properties(one) == []
    assert len(content_ids(one, archive_id=ARCHIVE)) == 1


# What the first versions derived

S3 = (
    "https://b.s3.amazonaws.com/sky.png?X-Amz-Algorithm=AWS4-HMAC-SHA256"
    "&X-Amz-Credential=AKIA%2F20261130%2Feu-west-1%2Fs3%2Faws4_request&X-Amz-Date=20261130T090000Z&X-Amz-Expires=3600"
    "&X-Amz-SignedHeaders=host&X-Amz-Signature=0a1b"
)
RAINBOW = Script.model_validate(
    {
        "script_id": "intro",
        "content": "The rainbow has seven colors.",
        "voice": "en-US-AvaMultilingualNeural",
        "talking_avatar_character": "lisa",
        "talking_avatar_style": "graceful-sitting",
        "background_image": S3,
    }
)
EARLIER = {0: "eb92d760f342a2ed", 2: "e9c3e0fb57a4f8f9"}
"""The ids that the first versions gave it, by revision; they lie in archives."""
EARLIER_FORM = "2a139c8e051f60cf"


@pytest.mark.parametrize("revision", EARLIER)
def test_the_earlier_id_of_a_script_is_what_it_always_was(revision):
    now, earlier = content_ids(RAINBOW, archive_id=ARCHIVE, revision=revision)

    assert earlier == EARLIER[revision] != now


def test_the_earlier_form_of_a_script_is_what_it_always_was():
    now, earlier = known_forms(RAINBOW)

    assert form_digest(earlier) == EARLIER_FORM != form_digest(now)


@pytest.mark.parametrize(
    ("link", "expected"),
    [
        ("https://pictures.blob.core.windows.net/c/sky.png?width=10&sig=x&si=p", "6d905445eaac111f"),
        ("https://p/sky.png?SV=1&SE=2&SIG=x", "791f672a85969bf3"),
    ],
)
def test_azures_signatures_give_the_ids_that_they_always_gave(link, expected):
    assert content_ids(RAINBOW.model_copy(update={"background_image": link}), archive_id=ARCHIVE)[-1] == expected


def plan_item(*entries, jobs=(), permits=None):
    index = ArchiveIndex()
    for name, metadata in entries:
        index.enter(name, metadata)
    return reconcile([RAINBOW], archive_id=ARCHIVE, jobs=jobs, index=index, permits=permits).items[0]


def earlier_claim(*, accepted, revision=0):
    job_id = derive_job_id("intro", EARLIER[revision], 1)
    written = Claim(
        script_id="intro",
        content_id=EARLIER[revision],
        run="r",
        holder="h",
        resource="x",
        api_version="2024-08-01",
        revision=revision,
        attempts=(Attempt(number=1, job_id=job_id, accepted_at=NOW if accepted else None),),
    )
    metadata = claim_metadata(written) | {"form": EARLIER_FORM}
    return f"intro/{EARLIER[revision]}/claim.json", metadata


def earlier_receipt(revision=0):
    written = Receipt(
        script_id="intro",
        content_id=EARLIER[revision],
        attempt=1,
        job_id=derive_job_id("intro", EARLIER[revision], 1),
        service_id="s",
        run="r",
        resource="x",
        api_version="2024-08-01",
        archived_at=NOW,
        video=StoredBlob(blob_name="v", size_bytes=1, sha256="s", content_md5="m", content_type="video/mp4"),
        form=dict(known_forms(RAINBOW)[1]),
        revision=revision,
    )
    return f"intro/{EARLIER[revision]}/receipt.json", receipt_metadata(written)


def earlier_job():
    return SynthesisJob(
        service_id=derive_job_id("intro", EARLIER[0], 1),
        status="Running",
        description=mark_description(None, ARCHIVE),
        observed_at=NOW,
    )


VIDEO = (f"intro/{EARLIER[0]}/1/video.mp4", {})


@pytest.mark.parametrize(
    ("entries", "jobs", "state"),
    [
        ([earlier_claim(accepted=True), earlier_receipt(), VIDEO], [], PlanState.ARCHIVED),
        ([earlier_receipt()], [], PlanState.DAMAGED),
        ([earlier_claim(accepted=False)], [], PlanState.CLAIMED),
        ([earlier_claim(accepted=True)], [], PlanState.LOST),
        ([], [earlier_job()], PlanState.ALIVE),
    ],
)
def test_an_id_of_the_first_versions_is_gone_on_with_where_it_is_known(entries, jobs, state):
    found = plan_item(*entries, jobs=jobs)

    assert (found.state, found.content_id, found.revision) == (state, EARLIER[0], 0)


def test_an_id_of_the_first_versions_is_never_taken_anew():
    assert plan_item().content_id == content_ids(RAINBOW, archive_id=ARCHIVE)[0]


def test_a_later_revision_of_the_first_versions_serves_as_well():
    found = plan_item(earlier_receipt(2), (f"intro/{EARLIER[2]}/1/video.mp4", {}))

    assert (found.state, found.content_id, found.revision) == (PlanState.ARCHIVED, EARLIER[2], 2)


def test_what_is_wanted_again_after_the_first_versions_is_no_change():
    found = plan_item(earlier_receipt(), VIDEO, permits=Permits(revision=1))

    assert (found.state, found.detail) == (PlanState.NEW, "archived before, wanted again")


@pytest.mark.parametrize("kind", ["PlainText", "SSML"])
def test_a_character_reference_of_thousands_of_digits_harms_nothing(kind):
    reference = f"https://a.example/&#{'1' * 5_000};?sig=x"
    ssml = f"<speak><voice name='v'><![CDATA[{reference}]]></voice></speak>"
    one = script(content=ssml if kind == "SSML" else reference, input_kind=kind)

    assert signed_properties(one) == ["content"]
    assert len(text_digests(one)) == (2 if kind == "SSML" else 1)
    assert not holds_signed_link(one.content.replace("?sig=x", ""))
    assert list(voice_names(f"<voice name='{reference}'/>")) == [reference]
