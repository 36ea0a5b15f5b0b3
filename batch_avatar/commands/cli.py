"""The command `batch-avatar`. Starts without Prefect; flows are imported only when a flow run is wanted."""

from __future__ import annotations

from typing import Any

import click

from batch_avatar.commands.archive import archive
from batch_avatar.commands.avatars import avatars
from batch_avatar.commands.check import check
from batch_avatar.commands.costs import costs
from batch_avatar.commands.demo import demo
from batch_avatar.commands.doctor import doctor
from batch_avatar.commands.failed import failed
from batch_avatar.commands.jobs import jobs
from batch_avatar.commands.new_table import new_table
from batch_avatar.commands.plan import plan
from batch_avatar.commands.render import render
from batch_avatar.commands.sweep import sweep
from batch_avatar.commands.terminal.streams import make_streams_last
from batch_avatar.commands.voices import voices
from batch_avatar.emulator.command import emulator


class Commands(click.Group):
    """All commands, on streams that never end one of them."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        make_streams_last()  # before anything is said, also about unknown options
        return super().main(*args, **kwargs)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="batch-avatar")
def main() -> None:
    """Render scripts to talking-avatar videos, and archive them in your own Blob Storage container.

    A SOURCE is a folder of *.txt (plain text), *.ssml and *.xml files, one such file, or a manifest: *.jsonl or
    *.csv with script_id, content or content_file, and any property in snake_case. A defaults.toml beside them sets
    properties for all. Settings come from the environment and .env, see .env.example.
    """


for command in (
    render,
    plan,
    costs,
    check,
    new_table,
    archive,
    failed,
    sweep,
    jobs,
    avatars,
    voices,
    emulator,
    demo,
    doctor,
):
    main.add_command(command)

if __name__ == "__main__":
    main()
