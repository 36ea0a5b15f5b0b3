"""A script of more than 20 minutes: plan and run say the same, and the others go on."""

from batch_avatar.planning.permits import Permits
from batch_avatar.rendering.preparing import survey
from batch_avatar.rendering.retry import plain_chain
from batch_avatar.rendering.runner import render_scripts
from tests.support.scripts import script

WORDS = "It is a long story, and it goes on. "
BEYOND, NEAR = script("beyond", content=WORDS * 780), script("near", content=WORDS * 490)


async def test_it_is_refused_alone_and_sent_on_request_and_what_is_archived_is_left(bench, caplog):
    b, scripts = bench(), [BEYOND, NEAR, script("short")]
    async with b.open() as run:
        planned = await survey.plan(scripts)
        report = await render_scripts(scripts, plain_chain())
        allowed = await render_scripts(scripts, plain_chain(), permits=Permits(allow_long=True))
        after = await render_scripts(scripts, plain_chain(), permits=Permits())

        assert [item.to_create for item in planned.items] == [False, True, True]
        beyond, near, short = report.outcomes
        assert (beyond.outcome, beyond.error.failure_class, beyond.error.code) == ("failed", "long", "TooLong")
        assert beyond.error == planned.items[0].failure
        assert (near.outcome, short.outcome, run.halted) == ("archived", "archived", None)
        assert "1 script may be longer" in caplog.text
        assert (allowed.archived, allowed.skipped, allowed.outcomes[0].note) == (
            1,
            2,
            "doubtful cut: look at the video; its remote job is kept",
        )
        assert (after.skipped, len(b.accepted())) == (3, 3)
