"""``hiroba restore``: a blank box goes on where another one stopped."""

from __future__ import annotations

import json
from collections import Counter
from contextlib import suppress
from pathlib import Path

import click

from device.clock import SystemClock
from device.errors import SettingsError
from provisioning.backup.age import Identity
from provisioning.backup.archive import OpenArchive, open_archive
from provisioning.backup.contents import Manifest, Place
from provisioning.backup.errors import KeyInvalid, OtherBoxesArchive, StateNotBlank
from provisioning.backup.restore import Blank, Restored, restore
from provisioning.backup.signing import Anchors, Maker
from provisioning.commands.options import site_options
from provisioning.enrolment.archive_signer import anchors
from provisioning.site.reading import read_site

FILE = click.Path(path_type=Path, dir_okay=False)


@click.command("restore")
@click.argument("file", type=FILE)
@click.option("--key", type=FILE, required=True, help="The city's secret key (hiroba backup key).")
@click.option("--ca", type=FILE, help="The city's CA (city-ca.pem); without it the one that this box was seeded with.")
@click.option(
    "--signer", "signers", multiple=True, help="Fingerprint or public key of a box without city hall, as noted down."
)
@click.option("--unsigned", metavar="BOX", help="Take an unsigned archive of an earlier release, of this box.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@site_options
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def command(
    *,
    file: Path,
    key: Path,
    ca: Path | None,
    signers: tuple[str, ...],
    unsigned: str | None,
    yes: bool,
    config: Path,
    state: Path,
    as_json: bool,
) -> None:
    """Lay the archive FILE onto this blank box: tells first who made it, when, and what it changes, then asks. Stop
    hiroba.target first; start it when this is done.
    """
    identity, onto = Identity.read(key), Blank(state, config)
    with open_archive(file, _anchors(state, ca, signers), unsigned=unsigned is not None) as archive:
        if not onto.is_blank():
            raise StateNotBlank(folder=state)
        manifest = archive.manifest(identity)
        _check_box(manifest, config, unsigned if archive.maker is None else None)
        click.echo(_told_before(archive, manifest, onto), err=as_json)
        if not yes:
            click.confirm("この端末に戻しますか / Restore onto this box", abort=True, err=as_json)
        done = restore(archive, identity, onto, SystemClock())
        click.echo(json.dumps(_facts(done, archive.maker)) if as_json else _told_after(done))


def _anchors(state: Path, ca: Path | None, signers: tuple[str, ...]) -> Anchors:
    try:
        return anchors(state, ca, signers)
    except (OSError, ValueError) as error:
        raise KeyInvalid(file=ca or state, wanted="city-ca.pem") from error


def _check_box(manifest: Manifest, config: Path, typed: str | None) -> None:
    """A box is laid onto its own site file alone. typed: the name that staff gave for an unsigned archive."""
    own = typed
    with suppress(SettingsError):
        own = own or (read_site(config).box.name if config.exists() else None)
    if own is not None and own != manifest.box:
        raise OtherBoxesArchive(box=manifest.box, own=own)


def _told_before(archive: OpenArchive, manifest: Manifest, onto: Blank) -> str:
    plan = onto.plan(manifest, signed=archive.maker is not None)
    rooms = Counter(path.split("/")[1] for path, place in plan.items() if place is Place.STATE)
    settings = {place: [p.partition("/")[2] for p, found in plan.items() if found is place] for place in Place}
    lines = [
        *_made_by(archive.maker, manifest),
        f"記録 / records: {', '.join(f'{room} {count}' for room, count in sorted(rooms.items()))}",
    ]
    if "issuer" in rooms:
        lines.append("住民の写し・発行台帳・公印の鍵が入れ替わります。 / Register, ledger and seal key change.")
    lines += [f"設定 / settings: {_fate(name, onto.settings.parent)}" for name in settings[Place.SETTINGS]]
    lines += [f"設定 / settings: {name} → {name}.restored" for name in settings[Place.BESIDE]]
    lines += [f"戻しません / left: {name}" for name in settings[Place.NOWHERE]]
    return "\n".join(lines)


def _made_by(maker: Maker | None, manifest: Manifest) -> list[str]:
    if maker is None:
        return [
            f"【署名なし】端末 {manifest.box}、{manifest.taken_at} と書かれています。だれが作ったか不明です。",
            "持ち主のわかる媒体から来たものだけを戻してください。証明書の制限・カードの登録も、書かれたとおりになります。",
            f"[UNSIGNED] It says box {manifest.box}, {manifest.taken_at}. Nobody can tell who made it: restore only",
            "what never left the city's hands. Restrictions and linked cards become what it says.",
        ]
    by = f"市の認証局 {maker.city}" if maker.city else "控えた番号"
    lines = [
        f"作った端末： {manifest.box}、{manifest.taken_at}、版 {manifest.version}",
        f"鍵 / key： {maker.fingerprint}（{by}で確認）",
        f"Made by box {manifest.box}, known by {maker.city or 'its noted fingerprint'}, at {manifest.taken_at}",
    ]
    if maker.until is not None and maker.until.isoformat() < manifest.taken_at:
        lines.append(f"この鍵の証明書は {maker.until:%Y-%m-%d} までのものでした。 / Its credential ended before.")
    return lines


def _fate(name: str, folder: Path) -> str:
    there = (folder / name).exists()
    return (
        f"{name} はそのまま、違えば {name}.restored に / stays, beside it if it differs"
        if there
        else f"{name} 新しく / new"
    )


def _told_after(done: Restored) -> str:
    manifest = done.manifest
    lines = [
        f"端末 {manifest.box} の {manifest.taken_at} 時点の控えを戻しました（{done.seconds:.1f} 秒）。",
        f"Restored box {manifest.box} as of {manifest.taken_at} ({done.seconds:.1f} s).",
    ]
    lines += [
        f"  結果不明の受付： {row.request}（控えの時点では {row.state.value}） / unknown now" for row in done.unknown
    ]
    if done.unknown:
        lines.append("用紙とプリンターを確かめ、hiroba journal resolve で決めてから、係員画面で再開してください。")
        lines.append("Look at paper and printer, decide by hiroba journal resolve, then reopen on the staff screen.")
    for name in done.settings_beside:
        lines.append(f"控えの設定を {name} に置きました。使う前に読んでください。 / laid beside, read it first")
    lines.append("始める前に hiroba apply で、設定を適用してください。 / Run hiroba apply before the start.")
    lines.append("控えのあとに発行された分は、発行サーバーで次を実行して用紙と入金に照らしてください。")
    lines.append("What was issued after the back-up: run this at the issuer and compare with paper and till.")
    lines.append(f"  hiroba backup since --kiosk {manifest.box} --at {manifest.taken_at}")
    return "\n".join(lines)


def _facts(done: Restored, maker: Maker | None) -> dict[str, object]:
    return {
        "archive": done.manifest.archive,
        "box": done.manifest.box,
        "taken_at": done.manifest.taken_at,
        "signer": maker.fingerprint if maker else None,
        "city": maker.city if maker else None,
        "files": len(done.manifest.files),
        "unknown": [{"request": row.request, "was": row.state.value} for row in done.unknown],
        "settings_beside": list(done.settings_beside),
        "left": list(done.left),
        "seconds": round(done.seconds, 2),
    }
