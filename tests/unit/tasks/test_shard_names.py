"""A shard is named by a parameter: it leads nowhere but to what a parent run has written."""

from types import SimpleNamespace

import pytest

from batch_avatar.errors import InputError
from tasks.shards import _shard_reader


@pytest.mark.parametrize(
    "name",
    ["x/../../../../other-team/drops/scripts", "../0001", "run/0001/..", "run", "", "/0001", "run/a", "run%2F..%2Fx/1"],
)
async def test_a_name_that_no_parent_gives_is_refused_before_anything_is_read(name):
    with pytest.raises(InputError, match="a shard is named"):
        await _shard_reader(SimpleNamespace())(name)


async def test_what_is_no_shard_is_refused_without_its_text():
    async def control(*_):
        return '{"script_id": 1, "content": "https://host/x?sig=secret"}'

    archive = SimpleNamespace(read_run_document=None)
    with pytest.raises(InputError, match="does not hold scripts") as caught:
        await _shard_reader(SimpleNamespace(control=control, archive=archive))("flow-1/0001")

    assert "secret" not in str(caught.value)
    assert caught.value.__cause__ is None
