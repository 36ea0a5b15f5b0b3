"""Secrets can be given to the workers of Compose as files, and these files are in no image and no commit."""

from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
SERVICES = yaml.safe_load((ROOT / "deployments/compose.yaml").read_text(encoding="utf-8"))["services"]


@pytest.mark.parametrize("service", ["worker", "bootstrap"])
def test_who_reads_our_settings_reads_the_folder_of_secrets_and_cannot_write_it(service):
    """A folder, because a file that is mounted by itself keeps its old content when it is replaced.

    Its name begins with a dot, so that flow runs do not read scripts from it.
    """
    assert "./.secrets:/run/secrets:ro" in SERVICES[service]["volumes"]
    assert "/run/secrets/speech_key" in (ROOT / "docs/operating.md").read_text(encoding="utf-8")


def test_the_folder_of_secrets_is_neither_committed_nor_sent_to_the_builder_of_the_image():
    assert "deployments/.secrets/" in (ROOT / ".gitignore").read_text().splitlines()
    assert "deployments/.secrets" in (ROOT / ".dockerignore").read_text().splitlines()


def test_who_follows_the_page_makes_the_folder_before_docker_makes_one_of_its_own():
    """Docker makes a folder that it mounts and that is missing, and only root may write into it."""
    text = (ROOT / "docs/operating.md").read_text(encoding="utf-8")
    assert text.index("install --directory --mode 755 .secrets") < text.index("docker compose up")
