"""Which files a flow run reads: of a deployment, those below its roots; of the command line, any."""

from pathlib import Path
from uuid import uuid4

import pytest

import tasks
from batch_avatar.errors import ManifestError, SettingsError
from batch_avatar.settings import load_settings
from tasks.rendering import gather_scripts

PROJECT = Path(tasks.__file__).parents[1]
LOOK = {"voice": "v", "talking_avatar_character": "lisa", "talking_avatar_style": "graceful-sitting"}


@pytest.fixture
def gathered(flow_run, tmp_path):
    """`gathered(source, deployed=, roots=)`: the ids of its scripts."""

    def gather(source, *, deployed=True, roots=()):
        flow_run.deployment_id = uuid4() if deployed else None
        settings = load_settings(
            endpoint="https://r.cognitiveservices.azure.com",
            storage_account_url="https://a.blob.core.windows.net",
            source_roots=":".join(map(str, roots)),
            **LOOK,
        )
        return list(gather_scripts(settings, sources=[str(source)], scripts=()).script_ids)

    (tmp_path / "a.txt").write_text("Hi.")
    return gather


def test_by_default_the_folder_of_the_deployment_and_nothing_hidden_in_it(gathered, tmp_path):
    assert len(gathered(PROJECT / "examples")) == 12
    with pytest.raises(ManifestError, match="BATCH_AVATAR_SOURCE_ROOTS"):
        gathered(tmp_path)
    with pytest.raises(ManifestError, match="a name with a dot"):
        gathered(PROJECT / ".git")


def test_the_variable_names_other_folders_instead(gathered, tmp_path):
    assert gathered(tmp_path, roots=["/elsewhere", tmp_path]) == ["a"]
    with pytest.raises(ManifestError, match="BATCH_AVATAR_SOURCE_ROOTS"):
        gathered(PROJECT / "examples", roots=[tmp_path])


def test_a_root_may_be_a_link(gathered, tmp_path):
    link = tmp_path / "link"
    link.symlink_to(tmp_path)
    assert gathered(link, roots=[link]) == gathered(tmp_path, roots=[link]) == ["a"]


def test_a_run_of_the_command_line_reads_what_its_user_may_read(gathered, tmp_path):
    assert gathered(tmp_path, deployed=False) == ["a"]
    assert gathered(tmp_path, deployed=False, roots=["/elsewhere"]) == ["a"]


def test_a_root_that_is_not_absolute_is_refused_by_its_variable(gathered):
    with pytest.raises(SettingsError, match="BATCH_AVATAR_SOURCE_ROOTS: must be absolute paths"):
        gathered("a", roots=["scripts"])
