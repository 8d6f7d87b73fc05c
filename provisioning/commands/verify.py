"""hiroba verify: is this paper the city's? Looks at the seal on its pages.

Needs nothing but the city's public keys: no register, no network.
"""

from __future__ import annotations

from pathlib import Path

import click
import msgspec

from device.clock import JST
from kiosk.issuer.kinds import KINDS
from kiosk.issuer.seal.seal import Judged, Verdict
from kiosk.issuer.seal.seal_keys import public_keys
from kiosk.issuer.seal.seal_reading import compared, judge_file
from provisioning.commands.options import state_option

KEYS = Path("issuer/seal")
LARGEST = 50 * 2**20
"""Bytes; a scan of a page is far smaller."""
_WORDS = {
    Verdict.GENUINE: "真正 / genuine",
    Verdict.CHANGED: "改変あり / changed",
    Verdict.UNKNOWN: "確認できません / unknown",
}
_WHY = {
    Verdict.CHANGED: "市の署名と内容が一致しません。 / The city's signature does not fit what is here.",
    Verdict.UNKNOWN: "読み取れる市の署名がないか、知らない鍵の署名です。"
    " / There is no seal that can be read, or it is of a key not known here.",
}
_LOOK = (
    "署名は本物です。紙の記載（種類、番号、日付、ページ）と見くらべてください。"
    "氏名などの記載は PDF がないと確かめられません。\n"
    "The signature is good. Compare the paper with it: kind, number, date, page. Names and other entries can be checked"
    " with the PDF alone."
)


class Answer(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line of ``--json``. text_compared: the page's whole text was held against the seal."""

    verdict: str
    key: str = ""
    issuer: str = ""
    kind: str = ""
    issue_number: str = ""
    issued_at: str = ""
    page: int = 0
    pages: int = 0
    text_compared: bool = False


@click.command("verify")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@state_option
@click.option(
    "--keys",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    default=None,
    help="Folder of the city's public keys (NAME.pem); without it STATE/issuer/seal.",
)
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.pass_context
def command(ctx: click.Context, file: Path, state: Path, keys: Path | None, as_json: bool) -> None:
    """Whether FILE, a certificate as PDF, a picture of it or the text of its code, bears the city's seal.

    Exits with 0 when every page is genuine, else with 1.
    """
    if file.stat().st_size > LARGEST:
        raise click.BadParameter(f"{file}: more than {LARGEST} bytes", param_hint="FILE")
    known = public_keys(keys or state / KEYS)
    if not known:
        raise click.BadParameter(
            f"市の公開鍵がありません / no public key of the city in {keys or state / KEYS}", param_hint="--keys"
        )
    content = file.read_bytes()
    found, whole = judge_file(content, known), compared(content)
    if as_json:
        click.echo(msgspec.json.encode([_answer(judged, whole) for judged in found]).decode())
    else:
        _tell(found, whole)
    ctx.exit(0 if all(judged.verdict is Verdict.GENUINE for judged in found) else 1)


def _tell(found: list[Judged], whole: bool) -> None:
    for judged in found:
        click.echo(_line(judged))
        if judged.verdict in _WHY:
            click.echo(_WHY[judged.verdict])
    if not whole and any(judged.verdict is Verdict.GENUINE for judged in found):
        click.echo(_LOOK)


def _line(judged: Judged) -> str:
    facts = judged.facts
    if facts is None:
        return " ".join([_WORDS[judged.verdict], *([f"[{judged.key}]"] if judged.key else [])])
    day = facts.at.astimezone(JST).date().isoformat()
    said = f"{_title(facts.kind)} ({facts.kind}) {facts.number} {day} {facts.page}/{facts.pages}"
    return f"{_WORDS[judged.verdict]}: {said} [{judged.key}, {facts.issuer}]"


def _title(kind: str) -> str:
    """Of a kind that this release does not make: nothing but its name."""
    return KINDS[kind].title["ja"] if kind in KINDS else kind


def _answer(judged: Judged, whole: bool) -> Answer:
    facts = judged.facts
    if facts is None:
        return Answer(judged.verdict.value, judged.key)
    return Answer(
        judged.verdict.value,
        judged.key,
        facts.issuer,
        facts.kind,
        facts.number,
        facts.at.astimezone(JST).isoformat(),
        facts.page,
        facts.pages,
        whole,
    )
