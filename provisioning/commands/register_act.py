"""Who works on the register and why: the options that every ``hiroba register`` command takes, and the proof by a code.

The site file names the operators, each with the hash of their own code. Where it names none, whoever may run the
command is believed, the audit says so (``proven``), and nothing that needs two people can be done.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import click

from device.card.credential import TrustStore
from device.clock import SystemClock
from device.store import Store
from kiosk.issuer.register.act import Act, is_operator, well_formed_reason
from kiosk.issuer.register.audited_register import AuditedRegister
from kiosk.issuer.register.errors import RegisterRefused
from kiosk.issuer.register.register import REGISTER_MIGRATIONS
from kiosk.issuer.settings import IssuerSettings, OperatorSettings
from provisioning.commands.options import site_options
from provisioning.commands.register_place import refuse_undeclared
from provisioning.errors import SectionMissing
from provisioning.site.model import Site
from provisioning.site.reading import read_site

F = TypeVar("F", bound=Callable[..., Any])
MAX_CODE_BYTES = 1024


class Asked(NamedTuple):
    """What the options say. config, state: as for every command."""

    config: Path
    state: Path
    by: str
    reason: str
    code_file: Path | None


class Opened(NamedTuple):
    """The register, and who works on it. site: the file that was read."""

    register: AuditedRegister
    act: Act
    site: Site
    issuer: IssuerSettings
    state: Path

    def trust(self) -> TrustStore:
        """The CAs of cards. Raises SettingsError."""
        return TrustStore.load(self.state / self.issuer.trust)


def act_options(function: F) -> F:
    """``--config``, ``--state``, ``--by``, ``--reason`` and ``--code-file``, given to the function as ``asked``. The
    lowest decorator of a command.
    """

    @wraps(function)
    def run(*, config: Path, state: Path, by: str, reason: str, code_file: Path | None, **others: Any) -> Any:
        return function(asked=Asked(config, state, by, reason, code_file), **others)

    file = click.Path(path_type=Path, exists=True, dir_okay=False)
    code = click.option("--code-file", type=file, default=None, help="File with the operator's code; else it is asked.")
    why = click.option("--reason", required=True, help="Why, for the audit: no name, no address.")
    who = click.option("--by", required=True, help="Who does it: an operator of [issuer] operators.")
    made: Any = site_options(who(why(code(run))))
    return made  # type: ignore[no-any-return]


def open_register(asked: Asked, *, second: bool = False) -> Opened:
    """second: this is the second person, whose code must be theirs alone. Raises RegisterRefused where the operator is
    unknown or the code wrong, StoreError, SettingsError.
    """
    site = read_site(asked.config)
    if site.issuer is None:
        raise SectionMissing(file=asked.config, section="issuer", process="hiroba register")
    reason = well_formed_reason(asked.reason)
    refuse_undeclared(asked.config, asked.state / site.issuer.register)
    store = Store(asked.state / site.issuer.register, REGISTER_MIGRATIONS)
    register = AuditedRegister(store, SystemClock())
    act = _act(asked, reason, site.issuer.operators, register, second=second)
    return Opened(register, act, site, site.issuer, asked.state)


def account() -> str:
    """Who the system says runs this: the user's number, also behind sudo."""
    return f"uid-{os.environ.get('SUDO_UID', '') or os.getuid()}"


def _act(
    asked: Asked, reason: str, operators: list[OperatorSettings], register: AuditedRegister, *, second: bool
) -> Act:
    unproven = Act(by=asked.by, account=account(), proven=False, reason=reason)
    if not is_operator(asked.by):
        raise RegisterRefused("operator_form")
    if not operators:
        return unproven
    own = [one.code_hash for one in operators if one.name == asked.by]
    others = [one.code_hash for one in operators if one.name != asked.by]
    code = _typed(asked)
    if not any(_matches(code, kept) for kept in own):
        register.code_refused(unproven)
        raise RegisterRefused("code_wrong", by=asked.by)
    act = replace(unproven, proven=True)
    if second and any(_matches(code, kept) for kept in others):
        shared = RegisterRefused("code_shared", by=asked.by)
        register.refused(act, shared)
        raise shared
    return act


def _typed(asked: Asked) -> str:
    """Out of the file, or asked for on the terminal, whoever is named: it is not told who is an operator."""
    if asked.code_file is None:
        return str(click.prompt(f"{asked.by} のコード / code", hide_input=True, err=True))
    with asked.code_file.open("rb") as file:
        return file.read(MAX_CODE_BYTES).decode("utf-8", "replace").strip()


def _matches(code: str, kept: str) -> bool:
    from kiosk.shell.staff_code import matches, staff_code_of

    with staff_code_of(code) as secret:
        return matches(secret, kept)
