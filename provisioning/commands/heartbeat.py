"""``hiroba heartbeat``: one heartbeat, and everything that waits in the outbox, to city hall; for a timer."""

from __future__ import annotations

import json
from pathlib import Path

import click

from device.clock import SystemClock
from device.logs import Log, open_log
from device.sender import LineDown
from provisioning.cityhall.errors import EnrolmentRefused, NotEnrolled
from provisioning.commands.options import site_options
from provisioning.enrolment.heartbeat import make_heartbeat
from provisioning.enrolment.steps import EnrolmentSteps
from provisioning.enrolment.wiring import cityhall_link_of, open_connection
from provisioning.site.reading import read_site


@click.command("heartbeat")
@site_options
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def command(config: Path, state: Path, as_json: bool) -> None:
    """Tell city hall how this box is. Exit code 0 even without a line: the message is kept and goes next time."""
    site = read_site(config)
    log = open_log("heartbeat")
    line = open_connection(site, cityhall_link_of(site, config, "hiroba heartbeat"), state, SystemClock(), log)
    _next_step(line.steps, log)
    message = make_heartbeat(line.sources)
    waiting = line.sender.tell(message)
    if as_json:
        click.echo(json.dumps({"id": message.id, "waiting": waiting}))
    elif waiting:
        click.echo(f"送信待ち {waiting} 件 / {waiting} messages wait to be sent")
    else:
        click.echo("送信しました / sent")


def _next_step(steps: EnrolmentSteps, log: Log) -> None:
    """The next step to a credential: what staff approved is here at the next heartbeat, not the next day."""
    try:
        steps.next_step()
    except (NotEnrolled, LineDown):
        return  # told below, when the heartbeat itself does not go
    except EnrolmentRefused as error:
        log.warning("enrolment_refused", reason=error.facts.get("reason"))
