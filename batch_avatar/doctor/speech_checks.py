"""Each Speech resource: its address, whether it answers and lets us in, its tier, its region, and its list of jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from batch_avatar.catalog.regions import batch_avatar_regions, find_region
from batch_avatar.doctor.checks import Step, failed, ok, skipped, warning
from batch_avatar.doctor.reach import Unreachable, reach
from batch_avatar.doctor.sign_in_checks import SIGN_IN
from batch_avatar.errors import AccessRefused, ServiceError, Throttled
from batch_avatar.resource_settings import ENTRA_DOMAIN, LOOPBACK, PREVIEW_31_DOMAIN, REGIONAL_DOMAIN
from batch_avatar.service.sign_in import refusals

if TYPE_CHECKING:
    from collections.abc import Iterator

    from batch_avatar.doctor.checks import Check
    from batch_avatar.doctor.connecting import Patient
    from batch_avatar.resource_settings import ResourceSettings

ASKED = ("access", "tier", "region", "jobs")
OTHER_SERVICES = (
    ".tts.speech.microsoft.com",
    ".stt.speech.microsoft.com",
    ".openai.azure.com",
    ".search.windows.net",
    ".blob.core.windows.net",
)
"""Hosts of other services, or of the parts of this one that have no batch avatars, that are often copied."""
ENDPOINTS = 'az cognitiveservices account list --query "[].{name:name, endpoint:properties.endpoint, tier:sku.name}"'


def speech_name(what: str, resource: ResourceSettings, *, several: bool) -> str:
    return f"speech {what}" + (f" ({resource.name})" if several else "")


def speech_steps(patient: Patient) -> list[Step]:
    """Return the steps that look at each of the resources."""
    resources = patient.settings.all_resources()
    return [
        step for resource in resources for step in _steps(patient, resource, several=bool(patient.settings.resources))
    ]


def _steps(patient: Patient, resource: ResourceSettings, *, several: bool) -> list[Step]:
    endpoint, host, *asked = (speech_name(what, resource, several=several) for what in ("endpoint", "host", *ASKED))

    def look() -> Iterator[Check]:
        try:
            found = reach(patient.session, resource.endpoint, patient.clock)
        except Unreachable as error:
            fix = f"{error.fix}\n{ENDPOINTS}" if error.kind == "name" else error.fix
            yield failed(host, error.found, fix)
            return
        patient.reached[host] = found
        yield ok(host, f"{resource.host} answers")

    entra = (SIGN_IN,) if resource.speech_key is None else ()
    return [
        Step((endpoint,), lambda: [check_endpoint(endpoint, resource)]),
        Step((host,), look, needs=(endpoint,)),
        Step(tuple(asked), lambda: _ask(patient, resource, asked), needs=(host, *entra)),
    ]


def check_endpoint(name: str, resource: ResourceSettings) -> Check:
    """Judge the form of the address. Whether it fits the generation and the access, the settings have judged. Pure."""
    host = urlsplit(resource.endpoint).hostname or ""
    if host in LOOPBACK:
        return ok(name, f"{resource.host}, on this machine")
    if host.endswith((REGIONAL_DOMAIN, PREVIEW_31_DOMAIN)):
        return ok(name, f"{host}, a region's own host: it takes keys only")
    if host.endswith(ENTRA_DOMAIN):
        return ok(name, f"{host}, a custom domain")
    if host.endswith(OTHER_SERVICES):
        region = host.partition(".")[0]
        address = f"https://{region}{REGIONAL_DOMAIN}" if "speech" in host else f"https://<name>{ENTRA_DOMAIN}"
        return failed(name, f"{host} is of another service, or has no batch avatars", f"export {_variable(address)}")
    return warning(name, f"{host} is no address of a Speech resource that is known here", ENDPOINTS)


def _variable(address: str) -> str:
    return f"BATCH_AVATAR_ENDPOINT={address}"


def _ask(patient: Patient, resource: ResourceSettings, names: list[str]) -> Iterator[Check]:
    """List the newest jobs, which shows all at once; the answer tells which check is the one that fails."""
    access, tier, region, jobs = names
    keyed = resource.speech_key is not None
    opened = "the key opens it" if keyed else "this identity may use it"
    try:
        page = next(patient.client(resource).list_pages(), None)
    except AccessRefused as error:
        if refusals.STANDARD in error.message:
            yield ok(access, opened)
            yield failed(tier, str(error), _upgrade(resource))
            return
        yield failed(access, str(error), fix_for(error, resource, patient.assignee))
        return
    except ServiceError as error:
        yield from _not_refused(error, access, tier)
        if error.http_status == 404:  # noqa: PLR2004 - HTTP status
            yield _no_api(region, patient, resource, str(error))
            return
        yield _region(region, patient, resource)
        say = warning if isinstance(error, Throttled) else failed
        yield say(jobs, str(error), "batch-avatar jobs list  # again in a minute; then ask Azure's support")
        return
    yield ok(access, opened)
    yield ok(tier, "not refused as a free one (F0)")
    yield _region(region, patient, resource)
    count = len(page.jobs) if page is not None else 0
    yield ok(jobs, f"the list can be read; {count} jobs on its first page")


def _not_refused(error: ServiceError, *names: str) -> Iterator[Check]:
    for name in names:
        yield ok(name, "not refused") if error.http_status else skipped(name, "no answer tells")


def fix_for(error: AccessRefused, resource: ResourceSettings, assignee: str) -> str:
    """Return a command for a refusal, by the service's own words. Pure."""
    keyed, name = resource.speech_key is not None, resource_name(resource)
    step = next((text for text in _COMMANDS if text in error.message), "")
    if not step:
        forbidden = error.http_status == 403  # noqa: PLR2004 - HTTP status
        step = refusals.KEY if keyed else refusals.ROLE if forbidden else refusals.OWN_TENANT
    return _COMMANDS[step].format(name=name, assignee=assignee, scope=_scope(name), host=resource.host)


_COMMANDS = {
    refusals.OWN_TENANT: "az login --tenant <tenant of {name}>",
    refusals.CUSTOM_DOMAIN: (
        "az cognitiveservices account update --name <name> --resource-group <group> --custom-domain <name>\n"
        "export BATCH_AVATAR_ENDPOINT=https://<name>.cognitiveservices.azure.com"
    ),
    refusals.NO_KEYS: "unset BATCH_AVATAR_SPEECH_KEY  # and sign in with: az login",
    refusals.NETWORK: (
        "az cognitiveservices account network-rule add --name {name} --resource-group <group> "
        "--ip-address <address of this machine>"
    ),
    refusals.ROLE: (
        'az role assignment create --assignee {assignee} --role "Cognitive Services Speech User" --scope {scope}'
        "\n# Owner and Contributor do not have this data action; a new role counts after minutes"
    ),
    refusals.KEY: (
        "(umask 077; az cognitiveservices account keys list --name {name} --resource-group <group> --query key1 "
        "-o tsv > ~/speech-key)\n"
        "unset BATCH_AVATAR_SPEECH_KEY; export BATCH_AVATAR_SPEECH_KEY_FILE=~/speech-key"
    ),
    refusals.SIGN_IN_AGAIN: "az login",
}


def resource_name(resource: ResourceSettings) -> str:
    """Return the name of the resource in Azure as far as the address tells it. Pure."""
    host = urlsplit(resource.endpoint).hostname or ""
    return host.removesuffix(ENTRA_DOMAIN) if host.endswith(ENTRA_DOMAIN) else "<name>"


def _scope(name: str) -> str:
    return f'"$(az cognitiveservices account list --query "[?name==\'{name}\'].id" -o tsv)"'


def _upgrade(resource: ResourceSettings) -> str:
    name = resource_name(resource)
    return (
        "az cognitiveservices account create --kind SpeechServices --sku S0 --name <new name> --resource-group <group> "
        f"--location <region>  # {name} is of the free tier (F0)"
    )


def region_of(patient: Patient, resource: ResourceSettings) -> str | None:
    return resource.region or (patient.settings.region if not patient.settings.resources else None)


def _region(name: str, patient: Patient, resource: ResourceSettings) -> Check:
    """Judge the region by what documents say; the service itself has the last word, so this is at most a warning."""
    region = region_of(patient, resource)
    if region is None:
        return skipped(name, "the address tells no region, and BATCH_AVATAR_REGION is not set")
    known = find_region(region)
    if known is not None and known.batch_avatar:
        return ok(name, f"{region} has batch avatars")
    why = "has no batch avatars" if known is not None else "is not known here"
    return warning(name, f"{region} {why}, as documents say", _regions_with())


def _no_api(name: str, patient: Patient, resource: ResourceSettings, said: str) -> Check:
    region = region_of(patient, resource)
    where = f" ({region})" if region else ""
    return failed(name, f"{said}{where}", _regions_with())


def _regions_with() -> str:
    with_them = ", ".join(batch_avatar_regions())
    return (
        "az cognitiveservices account create --kind SpeechServices --sku S0 --name <new name> --resource-group <group> "
        f"--location <one of {with_them}>"
    )
