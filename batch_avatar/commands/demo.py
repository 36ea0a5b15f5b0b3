"""`batch-avatar demo`: render the examples from end to end on the embedded stack."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import click

from batch_avatar.commands.terminal.saying import say

if TYPE_CHECKING:
    from batch_avatar.commands.stack import Stack

CONTAINER = "videos"


@click.command("demo")
@click.option("--keep", is_flag=True, help="Leave storage, service and Prefect running, to look at and to use.")
@click.option("--stop", is_flag=True, help="End what --keep left running.")
@click.option("--time-scale", default=30.0, show_default=True, help="Service seconds per real second.")
@click.option(
    "--api-version",
    default="2024-08-01",
    show_default=True,
    type=click.Choice(["2024-08-01", "2024-04-15-preview", "3.1-preview1"]),
    help="Generation of the service's API.",
)
@click.option(
    "--folder",
    default=".demo",
    show_default=True,
    type=click.Path(path_type=Path),
    help="Folder for the stack's files.",
)
@click.option(
    "--output", default="demo-output", show_default=True, type=click.Path(path_type=Path), help="Folder for the videos."
)
def demo(*, keep: bool, stop: bool, time_scale: float, api_version: str, folder: Path, output: Path) -> None:
    """Render the scripts of examples/ without an Azure account; nothing leaves this machine."""
    from batch_avatar.commands.stack import ROOT, known_stack, running_stack, start_stack
    from batch_avatar.errors import BatchAvatarError

    folder = folder.resolve()
    try:
        stack = known_stack(folder) if stop else running_stack(folder)
    except BatchAvatarError as error:
        raise click.ClickException(str(error)) from None
    if stop:
        for remark in stack.stop() if stack else ():
            say(remark, err=True)
        say("stopped" if stack else "nothing was running")
        return
    kept_before = stack is not None
    if stack is not None and (runs := stack.environment["BATCH_AVATAR_API_VERSION"]) != api_version:
        raise click.ClickException(f"a stack for api-version {runs} is running: `make demo-stop` first")
    if stack is None:
        say("starting storage, service and Prefect (some 15 s) ...", err=True)
        try:
            stack = start_stack(folder, time_scale=time_scale, api_version=api_version)
        except BatchAvatarError as error:
            raise click.ClickException(str(error)) from None
    try:
        code = _render(stack, ROOT / "examples", output)
        if keep or kept_before:
            _tell_how_to_use(stack)
        else:
            say("All of it is stopped again. `make demo KEEP=1` leaves it running, with the Prefect UI.")
    finally:
        if not (keep or kept_before):
            stack.stop()
    sys.exit(code)


def _render(stack: Stack, examples: Path, output: Path) -> int:
    scale = f"{stack.time_scale:g}"
    say(f"storage   Azurite                {stack.storage_url}")
    say(f"service   emulator, {scale} x time    {stack.service_url}")
    say(f"Prefect   server                 {stack.prefect_url}")
    say(f"Service time runs {scale} times faster: its 2 creates a minute become {2 * stack.time_scale:g}.\n")
    command = [sys.executable, "-m", "batch_avatar.commands.cli", "render", str(examples), "--engine", "prefect"]
    # Run it in the stack's folder, so that a .env of the checkout has no effect.
    code = subprocess.run(command, cwd=stack.folder, env=stack.child_environment(), check=False).returncode
    videos = _fetch_videos(stack, output)
    say(f"\n{len(videos)} videos copied to {output}/, for example {videos[0] if videos else 'none'}")
    return code


def _fetch_videos(stack: Stack, output: Path) -> list[Path]:
    """Copy the videos out of the container, so that they can be played when the storage is gone."""
    from azure.storage.blob import ContainerClient

    output.mkdir(parents=True, exist_ok=True)
    connection = stack.environment["BATCH_AVATAR_STORAGE_CONNECTION_STRING"]
    videos = []
    with ContainerClient.from_connection_string(connection, CONTAINER) as container:
        for blob in container.list_blobs():
            name = PurePosixPath(blob.name)
            if name.stem == "video":
                path = output / f"{name.parts[0]}{name.suffix}"
                with path.open("wb") as file:
                    container.download_blob(blob.name).readinto(file)
                videos.append(path)
    return sorted(videos)


def _tell_how_to_use(stack: Stack) -> None:
    say(f"\nThe stack goes on running. Prefect UI: {stack.prefect_url}")
    say(f"Use it:  . {stack.folder.name}/stack.env && .venv/bin/batch-avatar plan examples")
    say(f"The UI asks for a password once: all of PREFECT_API_AUTH_STRING in {stack.folder.name}/stack.env")
    say("End it:  make demo-stop")
