"""All checks, in the order in which people read them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from batch_avatar.doctor.checks import Step, failed
from batch_avatar.doctor.connecting import patient, plain_session
from batch_avatar.doctor.machine_checks import CLOCK, disk_step, machine_steps
from batch_avatar.doctor.prefect_checks import DEFAULT_POOL, prefect_steps
from batch_avatar.doctor.runner import run_steps
from batch_avatar.doctor.settings_checks import check_settings, check_variables, skip_all
from batch_avatar.doctor.side_containers import INBOX, PACKS, side_steps
from batch_avatar.doctor.sign_in_checks import SIGN_IN, sign_in_step
from batch_avatar.doctor.speech_checks import speech_name, speech_steps
from batch_avatar.doctor.storage_checks import ACCOUNT, StorageLook
from batch_avatar.doctor.storage_fixes import ACCOUNTS
from batch_avatar.errors import SettingsError

if TYPE_CHECKING:
    from batch_avatar.doctor.checks import Check
    from batch_avatar.doctor.connecting import Patient

WITHOUT_SETTINGS = [SIGN_IN, "speech", "storage", CLOCK]
"""What cannot be looked at as long as the settings cannot be used."""


def examine(*, pool: str = DEFAULT_POOL) -> list[Check]:
    """Make all checks. Blocking, some seconds; nothing that it writes is left, and no job is created.

    `pool`: the Prefect work pool whose workers run the deployments.
    """
    with plain_session() as (session, clock):
        variables = check_variables()
        settings, first = check_settings()
        steps = prefect_steps(session, clock, settings, pool)
        if settings is None:
            return [*first, *variables, *skip_all(WITHOUT_SETTINGS), *run_steps([*steps, disk_step()], clock)]
        own = _steps(patient(settings, session, clock))
        return [*first, *variables, *run_steps([*own, *steps], clock)]


def _steps(given: Patient) -> list[Step]:
    several = bool(given.settings.resources)
    hosts = [speech_name("host", one, several=several) for one in given.settings.all_resources()]
    return [
        sign_in_step(given),
        *speech_steps(given),
        *_storage_steps(given),
        *machine_steps(given, [*hosts, ACCOUNT]),
    ]


def _storage_steps(given: Patient) -> list[Step]:
    try:
        service = given.storage()
    except SettingsError as error:
        message = error.message
        return [
            Step((ACCOUNT,), lambda: [failed(ACCOUNT, message, ACCOUNTS)]),
            *(Step((name,), partial(list, ()), needs=(ACCOUNT,)) for name in (PACKS, INBOX)),
        ]
    look = StorageLook(given, service)
    return [*look.steps(CLOCK), *side_steps(given, service, look)]
