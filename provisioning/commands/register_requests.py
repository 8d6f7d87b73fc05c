"""The second person: what waits for one, approve it, reject it."""

from __future__ import annotations

import click
import msgspec

from device.clock import JST
from kiosk.issuer.register.change_requests import ChangeRequest
from provisioning.commands.register_act import Asked, act_options, open_register
from provisioning.commands.wifi_site import print_table

_ACTIONS = {
    "lift_restriction": "支援措置の解除",
    "move_credential": "カードの付け替え",
    "lift_revocation": "失効の取り消し",
}


@click.command()
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@act_options
def requests(asked: Asked, as_json: bool) -> None:
    """Changes that wait for a second person."""
    opened = open_register(asked)
    waiting = opened.register.requests(opened.act)
    if as_json:
        click.echo(msgspec.json.encode([_told(one) for one in waiting]).decode())
        return
    rows = [
        [o.request, _ACTIONS[o.action.value], o.resident, o.holder, o.asked_by, _time(o), o.reason] for o in waiting
    ]
    headings = ["申請", "内容", "住民", "いまの住民", "申請者", "期限", "理由"]
    print_table(f"承認を待つ申請 {len(rows)} 件", headings, rows, left=7)


@click.command()
@click.argument("request")
@act_options
def approve(asked: Asked, request: str) -> None:
    """Make the change REQUEST, as the second person."""
    opened = open_register(asked, second=True)
    done = opened.register.approve(opened.act, request)
    click.echo(f"承認し、実行しました：{_ACTIONS[done.action.value]} {done.resident} / approved and done.")


@click.command()
@click.argument("request")
@act_options
def reject(asked: Asked, request: str) -> None:
    """Say no to the change REQUEST, or take it back."""
    opened = open_register(asked)
    opened.register.reject(opened.act, request)
    click.echo("却下しました。 / rejected.")


def tell_asked(made: ChangeRequest) -> None:
    """What has to happen now."""
    what = f"{_ACTIONS[made.action.value]} {made.resident}（期限 {_time(made)}）"
    click.echo(
        f"申請 {made.request}：{what}。まだ実行していません。\n"
        f"別の職員が実行してください： hiroba register approve {made.request} --by 職員 --reason 理由\n"
        f"asked: {made.request}. Nothing is changed until another operator approves it."
    )


def _told(one: ChangeRequest) -> dict[str, str]:
    return {
        "request": one.request,
        "action": one.action.value,
        "resident": one.resident,
        "holder": one.holder,
        "asked_by": one.asked_by,
        "expires_at": one.expires_at.isoformat(),
        "reason": one.reason,
    }


def _time(one: ChangeRequest) -> str:
    return f"{one.expires_at.astimezone(JST):%Y-%m-%d %H:%M}"
