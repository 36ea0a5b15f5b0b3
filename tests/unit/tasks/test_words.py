"""What a person may say on the command line can be said to the flows as well."""

from batch_avatar.commands.plan import plan
from batch_avatar.commands.render import render
from batch_avatar.planning.permits import Permits
from flows.render_batch import render_batch
from flows.render_inbox import render_inbox

WORDS = set(Permits.model_fields)


def test_each_word_is_an_option_and_a_parameter():
    for command in (render, plan):
        assert {option.name for option in command.params} >= WORDS, command.name
    assert render_batch.parameters.properties.keys() >= WORDS
    assert render_inbox.parameters.properties.keys() >= WORDS - {"revision"}
