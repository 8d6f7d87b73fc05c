"""``hiroba enrol``: enrol this box at city hall."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TextIO

import click

from device.clock import SystemClock
from device.sender import LineDown
from provisioning.cityhall.errors import EnrolmentRefused, NotEnrolled
from provisioning.commands.options import site_options
from provisioning.enrolment.identity import Credential
from provisioning.enrolment.steps import EnrolmentSteps
from provisioning.enrolment.wiring import cityhall_link_of, open_enrolment
from provisioning.site.reading import read_site

WAIT_SECONDS = 3600.0


def _asking(config: Path, state: Path) -> EnrolmentSteps:
    site = read_site(config)
    return open_enrolment(cityhall_link_of(site, config, "hiroba enrol"), site.box.name, state, SystemClock())


@click.group("enrol", invoke_without_command=True)
@site_options
@click.option("--code", default=None, help="The one-time code on the sheet.")
@click.option("--code-file", type=click.File("r"), help="The code in a file, which no list of processes shows.")
@click.option("--wait", is_flag=True, help="Wait until staff have approved (an hour at most).")
@click.pass_context
def command(
    ctx: click.Context, config: Path, state: Path, code: str | None, code_file: TextIO | None, wait: bool
) -> None:
    """Make this box known to city hall: --code CODE, then staff approve on city hall's page. Or: renew, status."""
    if ctx.invoked_subcommand:
        return
    steps = _asking(config, state)
    code = code_file.read().strip() if code_file else code
    if code is None and not (steps.identity.pending() or steps.identity.code()):
        raise click.UsageError("--code CODE が必要です / --code CODE is needed")
    given = steps.enrol(code) if code is not None else steps.next_step()
    if given is None:
        click.echo(f"鍵の指紋 / key fingerprint: {steps.identity.fingerprint()}")
        click.echo("職員の承認を待っています / waiting for staff to approve")
        given = _wait(steps) if wait else None
    _tell(steps, given)


def _wait(steps: EnrolmentSteps) -> Credential | None:
    """A line that is down for a moment does not end the waiting."""
    end = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < end:
        try:
            return steps.wait(end - time.monotonic(), time.sleep)
        except LineDown:
            time.sleep(5.0)
    return None


@command.command()
@site_options
@click.option("--force", is_flag=True, help="Even when it is not time yet.")
def renew(config: Path, state: Path, force: bool) -> None:
    """Take the next step: ask with the seed's code, see whether staff approved, renew in time. For a timer."""
    steps = _asking(config, state)
    _tell(steps, steps.next_step(force=force))


@command.command()
@site_options
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def status(config: Path, state: Path, as_json: bool) -> None:
    """Whether this box is enrolled, and until when. Exit code 1 when it is not. Asks nobody."""
    steps = _asking(config, state)
    identity = steps.identity
    try:
        credential = identity.credential()
    except NotEnrolled:
        credential = None
    pending, over = bool(identity.pending()), credential is None or credential.expired(SystemClock().now())
    if as_json:
        until = credential.end.isoformat() if credential else None
        facts = {"box": steps.box, "enrolled": not over, "pending": pending, "until": until}
        click.echo(json.dumps({**facts, "fingerprint": _fingerprint(steps)}))
    else:
        _say(steps, credential, pending=pending)
    if over:
        raise click.exceptions.Exit(1)


def _say(steps: EnrolmentSteps, credential: Credential | None, *, pending: bool) -> None:
    if credential is None:
        click.echo("職員の承認を待っています / waiting for staff" if pending else "未登録です / not enrolled")
    else:
        _tell(steps, credential)
    click.echo(f"鍵の指紋 / key fingerprint: {_fingerprint(steps) or '-'}")


def _fingerprint(steps: EnrolmentSteps) -> str:
    """Of the key, "" where there is none yet: asking makes none."""
    return steps.identity.fingerprint() if steps.identity.key_file.exists() else ""


def _tell(steps: EnrolmentSteps, credential: Credential | None) -> None:
    if credential is None:
        click.echo("まだ承認されていません。あとでもう一度実行してください。 / not approved yet; run it again")
        return
    if credential.box != steps.box:
        raise EnrolmentRefused(reason="other_name")
    days = credential.days_left(SystemClock().now())
    click.echo(f"登録済み / enrolled: {credential.box}  {credential.end:%Y-%m-%d}  残り{days}日 / {days} days left")
