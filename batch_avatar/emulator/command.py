"""`emulator`: run the service on this machine and say how to use it."""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from batch_avatar.emulator.certificate import Certificate
    from batch_avatar.emulator.storage.azurite import Azurite
    from batch_avatar.emulator.web.server import EmulatorServer

_REPEAT_PUT = ("conflict", "existing", "replace", "bad_request")


@click.command("emulator")
@click.option("--port", default=0, show_default="a free one", help="Port on 127.0.0.1.")
@click.option(
    "--storage-connection-string",
    envvar="EMULATOR_STORAGE_CONNECTION_STRING",
    help="The service's storage account. Without it, an Azurite is started and stopped with the emulator.",
)
@click.option("--key", envvar="EMULATOR_KEY", help="The resource's key; random when left out.")
@click.option("--bearer-token", envvar="EMULATOR_BEARER_TOKEN", help="A token that is accepted beside the key.")
@click.option("--tls", is_flag=True, help="Speak https, with a certificate made on the spot; so does its own storage.")
@click.option(
    "--storage-certificate",
    type=click.Path(exists=True, dir_okay=False),
    help="Authority to trust for a storage with https; the usual ones when left out.",
)
@click.option("--time-scale", default=1.0, show_default=True, help="Service seconds per real second.")
@click.option("--creates-per-minute", default=2, show_default=True, help="0 = unlimited.")
@click.option("--active-jobs-limit", default=200, show_default=True, help="Unfinished jobs at once; 0 = unlimited.")
@click.option(
    "--progression",
    default="after_seconds",
    show_default=True,
    type=click.Choice(["at_once", "after_reads", "after_seconds", "lognormal"]),
    help="What decides when a job ends.",
)
@click.option("--reads", default=2, show_default=True, help="after_reads: which read finds a job terminal.")
@click.option("--mean-seconds", default=148.0, show_default=True, help="lognormal: mean run time, service seconds.")
@click.option("--media", default="real", show_default=True, type=click.Choice(["real", "minimal", "shared"]))
@click.option("--width", default=640, show_default=True, help="Pixels.")
@click.option("--height", default=360, show_default=True, help="Pixels.")
@click.option("--seed", default=0, show_default=True, help="For fault probabilities and drawn run times.")
@click.option("--storage-front", is_flag=True, help="Send links through a forwarder that can play download faults.")
@click.option(
    "--list-lag-seconds", default=2.0, show_default=True, help="Service seconds until the list shows a new job."
)
@click.option("--repeat-put", default="conflict", show_default=True, type=click.Choice(_REPEAT_PUT))
@click.option("--delete-unfinished", default="refuse", show_default=True, type=click.Choice(["refuse", "accept"]))
@click.option("--get-absent", default="404", show_default=True, type=click.Choice(["404", "204"]))
@click.option("--delete-absent", default="204", show_default=True, type=click.Choice(["204", "404"]))
@click.option("--unknown-members", default="ignore", show_default=True, type=click.Choice(["ignore", "refuse"]))
@click.option("--withdrawn-avatars", default="refused", show_default=True, type=click.Choice(["refused", "substitute"]))
@click.option("--long-videos", default="cut", show_default=True, type=click.Choice(["cut", "failed"]))
@click.option("--link-lifetime-seconds", default=72 * 3600.0, show_default=True, help="Service seconds.")
def emulator(port: int, storage_connection_string: str | None, tls: bool, **switches: Any) -> None:
    """Run the batch avatar service on this machine, until Ctrl-C."""
    from batch_avatar.emulator.certificate import make_certificate
    from batch_avatar.emulator.options import EmulatorOptions
    from batch_avatar.emulator.storage.azurite import Azurite
    from batch_avatar.emulator.web.server import serve

    options = EmulatorOptions(**_to_options(switches))
    with contextlib.ExitStack() as stack:
        certificate = None
        if tls:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="batch-avatar-emulator-"))
            certificate = make_certificate(Path(folder))
        azurite: Azurite | None = None
        if storage_connection_string is None:
            try:
                azurite = stack.enter_context(Azurite(certificate=certificate))
            except RuntimeError as error:
                raise click.ClickException(str(error)) from error
            storage_connection_string = azurite.connection_string()
            if certificate is not None:
                options = options.model_copy(update={"storage_certificate": str(certificate.path)})
        serve(
            options,
            storage_connection_string=storage_connection_string,
            port=port,
            certificate=certificate,
            on_ready=lambda server: _announce(server, azurite, certificate),
        )
    click.echo("stopped")


def _to_options(switches: dict[str, Any]) -> dict[str, Any]:
    from batch_avatar.emulator.options import Progression

    kind, reads, mean = switches.pop("progression"), switches.pop("reads"), switches.pop("mean_seconds")
    switches["progression"] = {
        "at_once": Progression.at_once(),
        "after_reads": Progression.after_reads(reads),
        "after_seconds": Progression.after_seconds(),
        "lognormal": Progression.lognormal(mean_seconds=mean),
    }[kind]
    switches["video_width"], switches["video_height"] = switches.pop("width"), switches.pop("height")
    for name in ("get_absent", "delete_absent"):
        switches[name] = int(switches[name])
    if switches["key"] is None:
        del switches["key"]
    return switches


def _announce(server: EmulatorServer, azurite: Azurite | None, certificate: Certificate | None) -> None:
    from batch_avatar.emulator.storage.azurite import USER_ACCOUNT

    click.echo(f"The batch avatar emulator listens on {server.endpoint}")
    click.echo(f"Counts: {server.endpoint}/emulator/stats   Jobs: {server.endpoint}/emulator/jobs")
    if azurite is not None:
        click.echo(f"Service storage: {azurite.connection_string()}")
        click.echo(f"User storage:    {azurite.connection_string(USER_ACCOUNT)}")
    click.echo("\nPoint batch-avatar at it:\n")
    click.echo(f"BATCH_AVATAR_ENDPOINT={server.endpoint}")
    click.echo(f"BATCH_AVATAR_SPEECH_KEY={server.key}")
    if certificate is not None:
        for variable in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"):  # which of them counts is the client's choice
            click.echo(f"{variable}={certificate.path}")
    if azurite is not None:
        click.echo(f"BATCH_AVATAR_STORAGE_CONNECTION_STRING={azurite.connection_string(USER_ACCOUNT)}")
    pace = server.options.creates_per_minute * server.options.time_scale  # a client counts real minutes
    click.echo(f"BATCH_AVATAR_CREATES_PER_MINUTE={pace:g}")
    click.echo("\nPress Ctrl-C to stop it. Everything that it holds in memory is then lost.")
