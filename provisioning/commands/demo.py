"""``hiroba demo``: everything on virtual hardware, to try out by hand or to prove by itself."""

from __future__ import annotations

import shutil
import signal
import tempfile
import threading
from pathlib import Path

import click

from device.loopback import is_free
from provisioning.commands.options import DEMO_STATE
from provisioning.demo.city_hall_boxes import STAFF
from provisioning.demo.made_up_city import STAFF_CODE
from provisioning.demo.plaza import Plaza
from provisioning.demo.processes import free_port
from provisioning.demo.setup import Ports

LOOK_SECONDS = 1.0

WELCOME = """
  ひろばが動いています。ブラウザーで開いてください。すべて架空です。
  It all runs; open it in a browser. All of it is made up.

  キオスク / kiosk                    {kiosk}
  スマートフォンから見たWi-Fi / Wi-Fi as a phone sees it
                                      {portal}
  Wi-Fiの利用統計 / Wi-Fi statistics   {stats}
  市役所の管理ページ / city hall       {city_hall}
      名前 / name {staff}    パスワード / password {password}
      （このデモの認証局なので警告が出ます / a browser warns: its CA is this demo's own）

  カードを置く / put the card down    {hiroba} virtual card insert{state}
  カードを取る / take it away         {hiroba} virtual card remove{state}
  暗証番号 / PIN                      1234
  職員コード / staff code             {staff_code}
  紙切れにする / empty the paper      {hiroba} virtual page paper-out{state}
  　もどす / undo                     {hiroba} virtual page ok{state}
  印刷されたもの / what was printed   {virtual}

  終わるには Ctrl-C / Ctrl-C ends it.
"""


@click.command("demo")
@click.option("--once", is_flag=True, help="One whole visit by itself, then exit.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="With --once: where the papers go.")
@click.option("--language", type=click.Choice(["ja", "en"]), default="ja", show_default=True, help="With --once.")
@click.option("--port", type=click.IntRange(1, 65535), default=8100, show_default=True, help="The kiosk's port.")
@click.option(
    "--terminal",
    type=click.Choice(["virtual", "counter"]),
    default="virtual",
    show_default=True,
    help="How the fee is paid: virtual, or counter with the staff code.",
)
@click.option(
    "--state",
    type=click.Path(path_type=Path, file_okay=False, resolve_path=True),
    default=DEMO_STATE,
    show_default=True,
    help="State folder of the demo.",
)
def command(once: bool, out: Path | None, language: str, port: int, terminal: str, state: Path) -> None:
    """Run all of it on virtual hardware: kiosk, Wi-Fi, statistics, city hall. With --once: one visit at the kiosk."""
    for number in (signal.SIGINT, signal.SIGTERM):  # in whatever it is, it ends its processes in order
        signal.signal(number, signal.default_int_handler)
    if once:
        _once(out or Path("out"), language, terminal)
    else:
        _stay(_ports(port), state, terminal)


def _ports(kiosk: int) -> Ports:
    """The pages on the ports after the kiosk's, or on others when these are taken; the rest anywhere."""
    portal, stats, staff = (port if is_free(port) else free_port() for port in range(kiosk + 1, kiosk + 4))
    free = (free_port() for _ in range(5))
    return Ports(kiosk, next(free), next(free), portal, stats, staff, next(free), next(free))


def _once(out: Path, language: str, terminal: str) -> None:
    from provisioning.demo.once import one_visit

    ports = Ports(free_port(), free_port(), free_port())
    folder = Path(tempfile.mkdtemp(prefix="hiroba-demo-"))
    try:
        with Plaza(folder, ports, terminal) as plaza:
            summary = one_visit(plaza, out, language)
    except KeyboardInterrupt:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    shutil.rmtree(folder)  # not when it failed: then the logs are wanted
    click.echo(f"{out}: {summary}")


def _stay(ports: Ports, state: Path, terminal: str) -> None:
    ended = threading.Event()
    with Plaza(state, ports, terminal) as plaza:
        signal.signal(signal.SIGTERM, lambda *_: ended.set())
        signal.signal(signal.SIGINT, lambda *_: ended.set())
        own = "" if state == DEMO_STATE else f" --state {state}"
        click.echo(
            WELCOME.format(
                **plaza.addresses,
                staff=STAFF,
                password=plaza.prepared.staff_password,
                hiroba="./hiroba",
                state=own,
                staff_code=STAFF_CODE,
                virtual=state / "virtual",
            )
        )
        while not ended.wait(LOOK_SECONDS):
            for name in plaza.restart_ended():
                click.echo(f"  {name} が止まったので、始め直しました。 / {name} had ended and was started again.")
