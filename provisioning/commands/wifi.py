"""``hiroba wifi``: who is online, and what staff may do about it.

A MAC address is shown only when asked for, and never taken from the command line, where other users of the box could
read it (N8).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from captive_portal.gate.protocol import BlockedPhoneDetails, EndReason, SessionDetails
from captive_portal.stats.catalogue import catalogue
from captive_portal.stats.report_text import megabytes
from device.clock import JST
from provisioning.commands import wifi_log
from provisioning.commands.options import site_options
from provisioning.commands.wifi_site import gate_of, print_table
from provisioning.errors import NotFound

_MAC_OPTION = click.option("--mac", is_flag=True, help="Show MAC and IP addresses as well (personal data).")
_JSON_OPTION = click.option("--json", "as_json", is_flag=True, help="For programs.")


@click.group("wifi")
def command() -> None:
    """Phones online: online, show, end, block, blocked, unblock. The connection log: log-key, sealed, unseal."""


@command.command()
@site_options
@click.option("--spot", default="", help="One spot only.")
@_MAC_OPTION
@_JSON_OPTION
def online(config: Path, state: Path, spot: str, mac: bool, as_json: bool) -> None:
    """Everyone online now, oldest first."""
    sessions = gate_of(config, state, "hiroba wifi").sessions(spot)
    if as_json:
        click.echo(json.dumps([_plain(s, mac) for s in sessions], ensure_ascii=False))
        return
    headings = [
        "利用",
        "スポット",
        "ログイン方法",
        "残り（分）",
        "上り（MB）",
        "下り（MB）",
        *(["IP", "MAC"] if mac else []),
    ]
    print_table(f"接続中 {len(sessions)} 台", headings, [_row(s, mac) for s in sessions], left=3)


@command.command()
@site_options
@click.argument("session")
@_MAC_OPTION
@_JSON_OPTION
def show(config: Path, state: Path, session: str, mac: bool, as_json: bool) -> None:
    """One session."""
    found = next((s for s in gate_of(config, state, "hiroba wifi").sessions() if s.session == session), None)
    if found is None:
        raise _unknown(session)
    facts = _plain(found, mac)
    if as_json:
        click.echo(json.dumps(facts, ensure_ascii=False))
        return
    print_table(f"利用 {session}", ["項目", "値"], [(_NAMES[key], str(value)) for key, value in facts.items()], left=2)


@command.command()
@site_options
@click.argument("session")
@_JSON_OPTION
def end(config: Path, state: Path, session: str, as_json: bool) -> None:
    """End one session now; the phone may log in again."""
    ended = gate_of(config, state, "hiroba wifi").end(session=session, reason=EndReason.STAFF)
    _say(ended, session, as_json, f"利用 {session} を終了しました。 / ended.")


@command.command()
@site_options
@click.argument("session")
@_JSON_OPTION
def block(config: Path, state: Path, session: str, as_json: bool) -> None:
    """End one session and block its phone until unblocked."""
    blocked = gate_of(config, state, "hiroba wifi").block(session=session)
    _say(blocked, session, as_json, f"利用 {session} の端末をブロックしました。 / blocked.")


@command.command()
@site_options
@_MAC_OPTION
@_JSON_OPTION
def blocked(config: Path, state: Path, mac: bool, as_json: bool) -> None:
    """Phones that staff have blocked, oldest first."""
    phones = gate_of(config, state, "hiroba wifi").blocked_phones()
    if as_json:
        click.echo(json.dumps([_blocked_phone(phone, mac) for phone in phones], ensure_ascii=False))
        return
    headings = ["番号", "スポット", "いつから", *(["MAC"] if mac else [])]
    rows = [[each.block, each.spot or "－", _since(each), *([each.mac] if mac else [])] for each in phones]
    print_table(f"ブロック中 {len(phones)} 台", headings, rows, left=4)


@command.command()
@site_options
@click.argument("number", default="")
@click.option("--all", "every", is_flag=True, help="Lift every block.")
@_JSON_OPTION
def unblock(config: Path, state: Path, number: str, every: bool, as_json: bool) -> None:
    """Unblock the phone with this NUMBER of `hiroba wifi blocked`, or all. Without NUMBER its MAC is asked for."""
    if number and every:
        raise click.UsageError("NUMBER or --all, not both.")
    gate = gate_of(config, state, "hiroba wifi")
    mac = "" if every or number else click.prompt("MAC", hide_input=False, err=True).strip().lower().replace("-", ":")
    lifted = gate.unblock(mac, number) if every or mac or number else 0
    if not lifted and not every:
        raise NotFound(what_ja="ブロック中の端末", what_en="blocked phone", name=number)
    click.echo(json.dumps({"count": lifted}) if as_json else f"{lifted} 台のブロックを解除しました。 / unblocked.")


for _more in (wifi_log.make_key, wifi_log.take_sealed, wifi_log.unseal):
    command.add_command(_more)

_NAMES = {
    "session": "利用",
    "spot": "スポット",
    "method": "ログイン方法",
    "language": "言語",
    "device": "端末の種類",
    "started_at": "開始",
    "ends_at": "終了予定",
    "seconds_left": "残り（秒）",
    "bytes_up": "上り（バイト）",
    "bytes_down": "下り（バイト）",
    "throttled": "速度制限中",
    "ip": "IP",
    "mac": "MAC",
}


def _plain(session: SessionDetails, mac: bool) -> dict[str, Any]:
    names = [name for name in _NAMES if mac or name not in ("ip", "mac")]
    facts = {name: getattr(session, name) for name in names}
    return {name: value.isoformat() if name.endswith("_at") else value for name, value in facts.items()}


def _row(session: SessionDetails, mac: bool) -> list[str]:
    row = [
        session.session,
        session.spot,
        catalogue("ja").value("method", session.method),
        str(session.seconds_left // 60),
    ]
    row += [megabytes(session.bytes_up), megabytes(session.bytes_down)]
    return row + ([session.ip, session.mac] if mac else [])


def _blocked_phone(phone: BlockedPhoneDetails, mac: bool) -> dict[str, Any]:
    since = phone.since.isoformat() if phone.since else None
    return {"block": phone.block, "spot": phone.spot, "since": since, **({"mac": phone.mac} if mac else {})}


def _since(phone: BlockedPhoneDetails) -> str:
    return f"{phone.since.astimezone(JST):%Y-%m-%d %H:%M}" if phone.since else "－"


def _say(count: int, session: str, as_json: bool, sentence: str) -> None:
    if not count:
        raise _unknown(session)
    click.echo(json.dumps({"count": count}) if as_json else sentence)


def _unknown(session: str) -> NotFound:
    return NotFound(what_ja="利用", what_en="session", name=session)
