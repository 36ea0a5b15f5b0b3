"""What takes a rule out of a copy (`make rules`) still finds it in the code."""

import pytest

from tests.chaos.rules import ROOT, RULES


@pytest.mark.parametrize("rule", RULES, ids=[rule.number for rule in RULES])
def test_the_code_that_is_taken_out_stands_in_one_place(rule):
    for file, there, without in rule.edits:
        assert (ROOT / "batch_avatar" / file).read_text(encoding="utf-8").count(there) == 1
        assert without != there
