"""A flow run that is given nothing to render ends at once, before anything is opened."""

import inspect
from uuid import uuid4

import pytest

from batch_avatar.commands.render import Named
from batch_avatar.errors import InputError
from batch_avatar.scripts.choice import SourceChoice
from batch_avatar.settings import load_settings
from flows.render_batch import render_batch
from tasks.rendering import gather_scripts
from tests.support.scripts import LOOK_TOML, script, write_manifest

pytestmark = pytest.mark.usefixtures("flow_run")


@pytest.fixture
def settings():
    return load_settings(
        endpoint="https://r.cognitiveservices.azure.com", storage_account_url="https://a.blob.core.windows.net"
    )


@pytest.mark.parametrize("sources", [[], [""], [" ", ""]], ids=["none", "an empty field", "empty fields"])
def test_a_run_without_sources_says_what_to_enter(settings, sources):
    with pytest.raises(InputError, match=r"nothing to render: enter sources .* or scripts"):
        gather_scripts(settings, sources=sources, scripts=[])


def test_warnings_of_sources_and_parameters_are_logged_once_for_each_kind(settings, tmp_path, caplog):
    source = write_manifest(tmp_path, [script("a", talking_avatar_style="siting"), script("b")])

    gather_scripts(settings, sources=[str(source)], scripts=[script("c", talking_avatar_style="siting")])

    [said] = [record.getMessage() for record in caplog.records if "style-unknown" in record.getMessage()]
    assert said.startswith("style-unknown: lisa has no style siting")
    assert said.endswith("[2 scripts: a, c]")


def test_a_run_reads_of_folders_what_its_parameters_say(settings, tmp_path):
    settings = settings.model_copy(update={"source_roots": (tmp_path,)})
    for name in ("a.txt", "hr/b.txt", "hr/drafts/c.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("Hi.")
    (tmp_path / "defaults.toml").write_text(LOOK_TOML)
    choice = SourceChoice(recursive=True, exclude=("drafts/",))

    found = gather_scripts(settings, sources=[str(tmp_path)], scripts=[], choice=choice)

    assert [script.script_id for script in found] == ["a", "hr/b"]
    given = Named((str(tmp_path),), choice).as_parameters()
    assert given["sources"] == [str(tmp_path)]
    assert (given["recursive"], given["exclude"]) == (True, ["drafts/"])
    assert given.keys() <= inspect.signature(render_batch.fn).parameters.keys()


def template_and_rows(folder):
    folder.mkdir()
    (folder / "hi.txt.j2").write_text("Hello {{ name }}.")
    (folder / "people.csv").write_text("employee,name\n7,Anna\n")
    (folder / "defaults.toml").write_text(LOOK_TOML)
    return {"template": str(folder / "hi.txt.j2"), "rows": str(folder / "people.csv"), "id_column": "employee"}


def test_a_run_fills_a_template_with_its_parameters(settings, tmp_path):
    settings = settings.model_copy(update={"source_roots": (tmp_path,)})
    choice = SourceChoice(**template_and_rows(tmp_path / "hr"))

    found = gather_scripts(settings, sources=[""], scripts=[], choice=choice)

    assert [(script.script_id, script.content) for script in found] == [("7", "Hello Anna.")]


@pytest.mark.parametrize("outside", ["template", "rows"])
def test_a_run_reads_templates_and_rows_of_no_other_folder(flow_run, settings, tmp_path, outside):
    flow_run.deployment_id = uuid4()
    settings = settings.model_copy(update={"source_roots": (tmp_path / "hr",)})
    given = template_and_rows(tmp_path / "hr") | {outside: template_and_rows(tmp_path / "other")[outside]}

    with pytest.raises(InputError, match=r"is outside the folders that flow runs may read"):
        gather_scripts(settings, sources=[], scripts=[], choice=SourceChoice(**given))
