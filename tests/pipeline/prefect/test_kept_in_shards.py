"""What the parent of a spread batch decides about changed scripts, before any shard is cut."""

import asyncio

from batch_avatar.planning.options import RenderOptions
from batch_avatar.planning.permits import Permits
from batch_avatar.rendering.connect import open_run
from batch_avatar.rendering.preparing.preparation import preview
from tasks.shards import decided_outcomes, permits_of_children


def test_looks_are_kept_or_refused_for_all_shards_together_and_texts_go_to_the_children(quick, script):
    b = quick()
    b.render([script("look"), script("text")])
    wanted = [script("look", rate="+5%"), script("text", content="Another."), script("new")]

    async def decided(permits):
        async with open_run(b.settings(), "parent") as run:
            return decided_outcomes(run.connections, await preview(wanted, RenderOptions(permits=permits)))

    refused = asyncio.run(decided(Permits()))
    kept = asyncio.run(decided(Permits(keep_changed=True)))

    assert {name: one.error.code for name, one in refused.items()} == {"look": "ChangesNotAccepted"}
    assert {name: (one.outcome, one.kept) for name, one in kept.items()} == {"look": ("skipped", True)}
    by_setting = permits_of_children(Permits(), b.settings(keep_changed=True))
    assert (by_setting.keep_changed, by_setting.accept_changes) == (True, True)
