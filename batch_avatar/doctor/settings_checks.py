"""Whether the settings can be used, and variables that begin as ours do and are none."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from batch_avatar.doctor.checks import failed, ok, skipped, warning
from batch_avatar.errors import SettingsError
from batch_avatar.settings import load_settings, misspelt_variables

if TYPE_CHECKING:
    from batch_avatar.doctor.checks import Check
    from batch_avatar.settings import Settings

SETTINGS, VARIABLES = "settings", "variable names"
EXAMPLE = "cp .env.example .env  # and fill in; each setting is told there"
CUSTOM_DOMAIN = (
    "az cognitiveservices account update --name <name> --resource-group <group> --custom-domain <name>\n"
    "export BATCH_AVATAR_ENDPOINT=https://<name>.cognitiveservices.azure.com"
)
_VARIABLE = re.compile(r"BATCH_AVATAR_[A-Z0-9_]+")
_MEANT = re.compile(r"(BATCH_AVATAR_\S{1,300}?): no such setting; did you mean (BATCH_AVATAR_\w{1,100})\?")


def check_settings() -> tuple[Settings | None, list[Check]]:
    """Return the settings if they can be used, and a check of them for each fault, or the only one."""
    try:
        settings = load_settings()
    except SettingsError as error:
        lines = error.message.split("\n  ")[1:] or [error.message]
        return None, [failed(SETTINGS, text, fix_for(text)) for text in lines]
    count = len(settings.all_resources())
    where = f"container {settings.container}" + (f", folder /{settings.prefix}" if settings.prefix else "")
    return settings, [ok(SETTINGS, f"{count} Speech resource{'s' * (count != 1)}, archive in {where}")]


def check_variables() -> list[Check]:
    """Return a warning for each variable that is no setting."""
    told = misspelt_variables()
    if not told:
        return [ok(VARIABLES, "all BATCH_AVATAR_... are settings")]
    return [warning(VARIABLES, text, _fix_of_name(text)) for text in told]


def fix_for(fault: str) -> str:
    """Return what to do about a fault of the settings, by its words. Pure."""
    if "custom domain" in fault:
        return CUSTOM_DOMAIN
    named = _VARIABLE.findall(fault)
    if "set only one of" in fault or "must not be" in fault:
        return f"unset {named[-1]}  # or the other one" if named else EXAMPLE
    return f"export {named[0]}=..." if named else EXAMPLE


def _fix_of_name(text: str) -> str:
    if found := _MEANT.match(text):
        wrong, meant = found.groups()
        return f"sed -i s/{wrong}/{meant}/ .env  # or where it is exported"
    return f"unset {text.partition(':')[0]}"


def skip_all(names: list[str]) -> list[Check]:
    """Return what is said of checks that cannot be made without settings."""
    return [skipped(name, f"after {SETTINGS}") for name in names]
