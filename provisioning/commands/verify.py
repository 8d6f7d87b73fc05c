"""hiroba verify: is this paper the city's? One verdict about the whole file, on what was compared.

Needs nothing but the city's public keys: no register, no network.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import click
import msgspec

from device.clock import JST, SystemClock
from kiosk.issuer.kinds import KINDS
from kiosk.issuer.seal.key_list import KeyListRefused, checking_keys
from kiosk.issuer.seal.seal import Judged, Reason, Verdict
from kiosk.issuer.seal.seal_keys import SealKey
from kiosk.issuer.seal.seal_reading import PaperJudged, judge_file
from provisioning.commands.options import state_option

KEYS = Path("issuer/seal")
LARGEST = 50 * 2**20
"""Bytes; a scan of a page is far smaller."""
EXITS = {Verdict.GENUINE: 0, Verdict.CHANGED: 1, Verdict.UNKNOWN: 1, Verdict.NOT_COMPARED: 3}
_WORDS = {
    Verdict.GENUINE: "真正 / genuine",
    Verdict.CHANGED: "改変あり / changed",
    Verdict.UNKNOWN: "確認できません / unknown",
    Verdict.NOT_COMPARED: "見くらべてください / not compared",
}
_WHY = {
    None: "PDF のすべてのページの文字、線、字形、配置を市の署名と照合し、一致しました。"
    " / Every page of the PDF was held against the city's signature: words, lines, shapes and places.",
    Reason.NO_SEAL: "読み取れる市の署名がありません。 / There is no seal of the city that can be read.",
    Reason.UNKNOWN_KEY: "ここにない鍵の署名です。 / The seal is of a key not known here.",
    Reason.SIGNATURE: "市の鍵を名のりますが、市の署名ではありません。"
    " / It names a key of the city, which never signed this.",
    Reason.KEY_DATES: "鍵の有効期間の外の日付で署名されています。 / It was sealed outside the key's time.",
    Reason.STRUCTURE: "市の証明書の PDF にないものが入っています。 / The PDF holds what the city's papers never hold",
    Reason.CONTENT: "市が署名した内容と違います。 / It is not what the city signed.",
    Reason.PAGES: "ページの抜け、重なり、または別の紙との入れ替わりがあります。"
    " / Pages are missing, doubled or of another paper.",
    Reason.WORDS_ONLY: "古い形式の署名です。文字は一致しますが、文字の位置と字形は確かめられません。"
    " 紙面をよく見くらべてください。"
    " / A seal of the old form: the words are the city's; their places and shapes cannot be compared.",
    Reason.SEAL_ONLY: "署名は本物ですが、写真やコードだけでは紙の記載を照合できません。"
    " 紙の記載（種類、番号、日付、ページ）と見くらべてください。"
    "氏名などの記載は PDF がないと確かめられません。\n"
    "The signature is good, but nothing was compared: compare the paper with it: kind, number, date, page. Names and"
    " other entries can be checked with the PDF alone.",
}
_STRUCTURE = {
    "structure": "ファイルの構造（追記など）/ the file itself, as by a later addition",
    "page": "ページの大きさや項目 / a page's size or entries",
    "annotation": "注釈 / an annotation",
    "active": "フォーム、スクリプト、添付、レイヤー / a form, a script, an attachment, a layer",
    "font": "別のフォント / another font",
    "picture": "別の画像 / another picture",
    "drawing": "別の描画 / another drawing",
    "hidden": "隠れた、または覆われた文字 / text that is hidden or covered",
}


class Seal(msgspec.Struct, frozen=True, omit_defaults=True):
    """One seal of ``--json``. verdict: of the seal alone."""

    verdict: str
    reason: str = ""
    key: str = ""
    issuer: str = ""
    kind: str = ""
    issue_number: str = ""
    issued_at: str = ""
    page: int = 0
    pages: int = 0


class Answer(msgspec.Struct, frozen=True):
    """``--json``. verdict: on the whole file; compared: "all" of it, its "words", or "nothing"."""

    verdict: str
    reason: str
    compared: str
    structure: str
    seals: list[Seal]


@click.command("verify")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@state_option
@click.option(
    "--keys",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    default=None,
    help="Folder of the city's public keys (NAME.pem) or of its signed key lists; without it STATE/issuer/seal.",
)
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.pass_context
def command(ctx: click.Context, file: Path, state: Path, keys: Path | None, as_json: bool) -> None:
    """Whether FILE, a certificate as PDF, a picture of it or the text of its code, bears the city's seal.

    Exits with 0 when the whole paper is genuine, 1 when it is changed or unknown, 3 when the seal is good and not all
    could be compared (a picture, a code).
    """
    if file.stat().st_size > LARGEST:
        raise click.BadParameter(f"{file}: more than {LARGEST} bytes", param_hint="FILE")
    judged = judge_file(file.read_bytes(), _known(keys or state / KEYS))
    if as_json:
        click.echo(msgspec.json.encode(_answer(judged)).decode())
    else:
        _tell(judged)
    ctx.exit(EXITS[judged.verdict])


def _known(folder: Path) -> Mapping[str, SealKey]:
    try:
        known = checking_keys(folder, SystemClock().now())
    except KeyListRefused as error:
        raise click.BadParameter(
            f"署名鍵一覧が使えません / the list of seal keys cannot be used ({error.facts['reason']}): {folder}",
            param_hint="--keys",
        ) from error
    if not known:
        raise click.BadParameter(f"市の公開鍵がありません / no public key of the city in {folder}", param_hint="--keys")
    return known


def _tell(judged: PaperJudged) -> None:
    click.echo(_WORDS[judged.verdict])
    why = _WHY[judged.reason]
    click.echo(f"{why}: {_STRUCTURE[judged.structure]}" if judged.reason is Reason.STRUCTURE else why)
    for seal in judged.seals:
        click.echo(f"  {_line(seal)}")


def _line(seal: Judged) -> str:
    """What one seal says; of one that is none of ours, nothing."""
    facts, key = seal.facts, f"[{seal.key}]" if seal.key else "[-]"
    if facts is None:
        return f"{key} {_WHY[seal.reason]}"
    day = facts.at.astimezone(JST).date().isoformat()
    what, place = f"{_title(facts.kind)} ({facts.kind}) {facts.number} {day}", f"{facts.page}/{facts.pages}"
    return f"{what} {place} [{seal.key}, {facts.issuer}]"


def _title(kind: str) -> str:
    """Of a kind that this release does not make: nothing but its name."""
    return KINDS[kind].title["ja"] if kind in KINDS else kind


def _answer(judged: PaperJudged) -> Answer:
    compared = {None: "all", Reason.WORDS_ONLY: "words"}.get(judged.reason, "nothing")
    reason = judged.reason.value if judged.reason else ""
    return Answer(judged.verdict.value, reason, compared, judged.structure, [_seal(seal) for seal in judged.seals])


def _seal(judged: Judged) -> Seal:
    facts, reason = judged.facts, judged.reason.value if judged.reason else ""
    verdict = "signed" if judged.reason is None else judged.verdict.value
    if facts is None:
        return Seal(verdict, reason, judged.key)
    at = facts.at.astimezone(JST).isoformat()
    return Seal(verdict, reason, judged.key, facts.issuer, facts.kind, facts.number, at, facts.page, facts.pages)
