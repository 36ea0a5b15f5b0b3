"""Settings copied from the examples as they are: one clear line for each placeholder."""

import re
from pathlib import Path

import pytest

from batch_avatar.errors import SettingsError
from batch_avatar.settings import load_settings

ROOT = Path(__file__).resolve().parents[2]


def example():
    lines = (ROOT / ".env.example").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line.startswith("BATCH_AVATAR_"))


@pytest.fixture
def environment(monkeypatch, tmp_path):
    """Nothing set but what is given."""
    monkeypatch.chdir(tmp_path)

    def give(values):
        for name, value in values.items():
            monkeypatch.setenv(name, value)

    return give


def test_the_example_as_it_is_gives_one_line_for_each_placeholder(environment):
    given = example()
    environment(given)

    with pytest.raises(SettingsError) as refused:
        load_settings()

    held = {name: text for name, value in given.items() for text in re.findall("<[^>]+>", value)}
    assert held
    assert str(refused.value).splitlines()[1:] == [
        f"  {name}: still holds {text}, the placeholder of an example: put the name of your own there"
        for name, text in held.items()
    ]


def test_the_example_with_its_placeholders_filled_and_an_account_named_is_taken(environment):
    filled = {name: re.sub("<[^>]+>", "mine", value) for name, value in example().items()}
    environment(filled | {"BATCH_AVATAR_STORAGE_ACCOUNT_URL": "https://mine.blob.core.windows.net"})

    assert load_settings().endpoint == "https://mine.cognitiveservices.azure.com"


@pytest.mark.parametrize("name", ["ENDPOINT", "STORAGE_ACCOUNT_URL"])
def test_the_addresses_of_the_readme_are_no_addresses(environment, name):
    readme = (ROOT / "README.md").read_text()
    address = re.search(rf"export BATCH_AVATAR_{name}=(\S+)", readme)[1]
    environment({f"BATCH_AVATAR_{name}": address})

    with pytest.raises(SettingsError, match=f"BATCH_AVATAR_{name}: still holds <"):
        load_settings()
