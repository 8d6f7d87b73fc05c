"""``hiroba disaster``: open the Wi-Fi to everyone without login, until a time that must be said."""

from __future__ import annotations

import json
import os
from datetime import datetime
from pathlib import Path

import click

from captive_portal.gate.protocol import Disaster, SetDisaster
from device.clock import JST, SystemClock
from provisioning.commands.options import site_options
from provisioning.commands.wifi_site import gate_of

LONGEST_REASON = 200
_JSON_OPTION = click.option("--json", "as_json", is_flag=True, help="For programs.")


class _Until(click.ParamType[datetime]):
    """A moment to come, ISO 8601; without an offset it is Japan's time."""

    name = "time"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """The moment meant."""
        if isinstance(value, datetime):
            return value
        try:
            found = datetime.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{value} は日時ではありません（例 2026-11-24T09:00）。 / not a time.", param, ctx)
        aware = found if found.tzinfo else found.replace(tzinfo=JST)
        if aware <= SystemClock().now():
            self.fail(f"{value} は過ぎています。 / is in the past.", param, ctx)
        return aware.astimezone(JST)


class _Reason(click.ParamType[str]):
    """A line that fits the page of a small phone and the audit."""

    name = "text"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The line, without blanks around it."""
        line = str(value).strip()
        if not 0 < len(line) <= LONGEST_REASON or not line.isprintable():
            shown = f"1～{LONGEST_REASON}文字の一行で書いてください。 / one line of 1 to {LONGEST_REASON} characters."
            self.fail(shown, param, ctx)
        return line


@click.group("disaster")
def command() -> None:
    """Disaster mode: on, off, status."""


@command.command()
@site_options
@click.option("--reason", type=_Reason(), required=True, help="Shown on the page and written in the audit.")
@click.option("--until", type=_Until(), required=True, help="When it ends by itself (ISO 8601, at most 30 days).")
@click.option("--drill", is_flag=True, help="A drill: the page says so, large.")
@_JSON_OPTION
def on(config: Path, state: Path, reason: str, until: datetime, drill: bool, as_json: bool) -> None:
    """Open the gate for everyone."""
    asked = SetDisaster(on=True, reason=reason, until=until, by=_caller(), drill=drill)
    _tell(gate_of(config, state, "hiroba disaster").set_disaster(asked), as_json)


@command.command()
@site_options
@_JSON_OPTION
def off(config: Path, state: Path, as_json: bool) -> None:
    """Back to log-in."""
    _tell(gate_of(config, state, "hiroba disaster").set_disaster(SetDisaster(on=False, by=_caller())), as_json)


@command.command()
@site_options
@_JSON_OPTION
def status(config: Path, state: Path, as_json: bool) -> None:
    """How the switch stands."""
    _tell(gate_of(config, state, "hiroba disaster").disaster(), as_json)


def _caller() -> str:
    """Who switched, for the audit: the user's number, never a person's name."""
    return f"uid-{os.environ.get('SUDO_UID', '') or os.getuid()}"


def _tell(disaster: Disaster, as_json: bool) -> None:
    until = disaster.until.astimezone(JST) if disaster.on and disaster.until else None
    if as_json:
        facts = {"on": disaster.on, "reason": disaster.reason, "drill": disaster.drill}
        click.echo(json.dumps({**facts, "until": until.isoformat() if until else None}, ensure_ascii=False))
    elif not disaster.on:
        click.echo("災害モード：切 / disaster mode: off")
    else:
        kind = "訓練 / drill" if disaster.drill else "入 / on"
        ends = f"{until:%Y-%m-%d %H:%M}" if until else "-"
        click.echo(f"災害モード：{kind}\n  理由 / reason: {disaster.reason}\n  終了 / until: {ends} JST")
