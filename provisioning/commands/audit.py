"""``hiroba audit``: whether the audits are whole; and, at city hall, the end of an alarm."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from device.clock import SystemClock
from device.errors import AuditBroken
from provisioning.commands.options import site_options
from provisioning.doctor.audits import Judged, Verdict, judge_all

if TYPE_CHECKING:
    from provisioning.cityhall.database import Database

NOT_COMPARED = 3
"""Exit code: every line fits, and nothing was there to compare some audit with."""
_WORDS = {
    Verdict.WHOLE: "つながっています。市役所の記録とも一致 / whole, and city hall has the same",
    Verdict.NOT_COMPARED: "つながっています。市役所とは照合できません / whole; nothing to compare it with",
    Verdict.BROKEN: "この行からつながりません / does not fit from this line on",
    Verdict.SHORTENED: "市役所に届いたものより短い / shorter than what city hall received",
    Verdict.REPLACED: "市役所に届いたものと違います / not what city hall received",
    Verdict.MISSING: "ありません。市役所には届いています / gone; city hall received it",
}


@click.group("audit")
def command() -> None:
    """The audits: whether they are whole."""


@command.command()
@site_options
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.pass_context
def verify(context: click.Context, config: Path, state: Path, as_json: bool) -> None:
    """Check every line of every audit here, and the whole against what city hall received of it. Exit codes: 0 all is
    as it was; 1 an audit was changed, cut or replaced; 3 whole, but there was nothing to compare some of it with.
    """
    judged = _judged(config, state)
    for one in judged:
        facts = {"audit": one.part, "verdict": one.verdict, "lines": one.lines}
        click.echo(json.dumps(facts) if as_json else f"{one.part}\t{one.lines}\t{_WORDS[one.verdict]}")
    verdicts = {one.verdict for one in judged}
    if verdicts - {Verdict.WHOLE, Verdict.NOT_COMPARED}:
        context.exit(1)
    context.exit(NOT_COMPARED if Verdict.NOT_COMPARED in verdicts else 0)


def _judged(config: Path, state: Path) -> list[Judged]:
    """Of the box, of city hall's service, or of both where the file has both."""
    from provisioning.commands.cityhall import open_for_reading
    from provisioning.site.reading import open_file, read_site

    tree = open_file(config).tree
    own = [_city_hall(open_for_reading(config, state)[1])] if "cityhall" in tree else []
    return own if own and "box" not in tree else [*judge_all(read_site(config), state), *own]


def _city_hall(database: Database | None) -> Judged:
    """City hall's own audit, whose head nobody else keeps."""
    from provisioning.cityhall.accounts.staff_audit import verify_staff_audit

    if database is None:
        return Judged("cityhall", Verdict.WHOLE, 0)
    try:
        with database.transaction() as session:
            return Judged("cityhall", Verdict.NOT_COMPARED, verify_staff_audit(session).lines)
    except AuditBroken as error:
        return Judged("cityhall", Verdict.BROKEN, int(str(error.facts["sequence"])))


@command.command()
@site_options
@click.option("--box", required=True, help="The box's name, as in its site file.")
@click.option("--reason", required=True, help="Why; it is kept.")
def accept(config: Path, state: Path, box: str, reason: str) -> None:
    """At city hall: close the alarms of a box's audits, as after a restore; they are compared from their ends on."""
    from provisioning.cityhall.boxes.audit_heads import AuditAlarms
    from provisioning.commands.cityhall import ON_SERVER, open_service
    from provisioning.errors import NotFound

    _, service = open_service(config, state)
    if not AuditAlarms(service.database, SystemClock()).accept(box, ON_SERVER, reason):
        raise NotFound(what_ja="監査記録の警報", what_en="audit alarm", name=box)
    click.echo(f"{box}: 確認しました / closed")
