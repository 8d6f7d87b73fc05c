"""``hiroba demo``: everything on virtual hardware, to try out by hand or to prove by itself."""

from __future__ import annotations

import shutil
import signal
import tempfile
import threading
from pathlib import Path

import click

from provisioning.commands.options import DEMO_STATE
from provisioning.demo.plaza import Plaza
from provisioning.demo.processes import free_port
from provisioning.demo.setup import STAFF_CODE, Ports

LOOK_SECONDS = 1.0

WELCOME = """
  ひろばの端末が動いています。ブラウザーで開いてください。 / The kiosk runs; open it in a browser:

      {address}

  カードを置く / put the card down    {hiroba} virtual card insert{state}
  カードを取る / take it away         {hiroba} virtual card remove{state}
  暗証番号 / PIN                      1234
  職員コード / staff code             {staff_code}
  紙切れにする / empty the paper      {hiroba} virtual page paper-out{state}    （もどす / undo: … page ok）
  印刷されたもの / what was printed   {virtual}

  終わるには Ctrl-C / Ctrl-C ends it.
"""


@click.command("demo")
@click.option("--once", is_flag=True, help="One whole visit by itself, then exit.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="With --once: where the papers go.")
@click.option("--language", type=click.Choice(["ja", "en"]), default="ja", show_default=True, help="With --once.")
@click.option("--port", type=click.IntRange(1, 65535), default=8100, show_default=True, help="The kiosk's port.")
@click.option("--terminal", type=click.Choice(["virtual", "counter"]), default="virtual", show_default=True)
@click.option("--state", type=click.Path(path_type=Path, file_okay=False, resolve_path=True), default=DEMO_STATE)
def command(once: bool, out: Path | None, language: str, port: int, terminal: str, state: Path) -> None:
    """Run the whole kiosk on virtual hardware."""
    if once:
        _once(out or Path("out"), language, terminal)
    else:
        _stay(Ports(port, free_port(), free_port(), free_port()), state, terminal)


def _once(out: Path, language: str, terminal: str) -> None:
    from provisioning.demo.once import one_visit

    ports = Ports(free_port(), free_port(), free_port(), free_port())
    folder = Path(tempfile.mkdtemp(prefix="hiroba-demo-"))
    with Plaza(folder, ports, terminal) as plaza:
        summary = one_visit(plaza, out, language)
    shutil.rmtree(folder)  # only when all went well: otherwise the logs are wanted
    click.echo(f"{out}: {summary}")


def _stay(ports: Ports, state: Path, terminal: str) -> None:
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    signal.signal(signal.SIGINT, lambda *_: ended.set())
    with Plaza(state, ports, terminal) as plaza:
        own = "" if state == DEMO_STATE else f" --state {state}"
        click.echo(
            WELCOME.format(
                address=plaza.address, hiroba="./hiroba", state=own, staff_code=STAFF_CODE, virtual=state / "virtual"
            )
        )
        while not ended.wait(LOOK_SECONDS):
            for name in plaza.look_after():
                click.echo(f"  {name} が止まったので、始め直しました。 / {name} had ended and was started again.")
