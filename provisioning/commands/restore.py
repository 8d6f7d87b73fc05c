"""``hiroba restore``: a blank box goes on where another one stopped."""

from __future__ import annotations

import json
from pathlib import Path

import click

from device.clock import SystemClock
from provisioning.backup.age import Identity
from provisioning.backup.restore import Restored, restore
from provisioning.commands.options import site_options

FILE = click.Path(path_type=Path, dir_okay=False)


@click.command("restore")
@click.argument("file", type=FILE)
@click.option("--key", type=FILE, required=True, help="The city's secret key (hiroba backup key).")
@site_options
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def command(file: Path, key: Path, config: Path, state: Path, as_json: bool) -> None:
    """Lay the archive FILE onto this blank box. Stop hiroba.target first; start it when this is done."""
    done = restore(file, Identity.read(key), state, config, SystemClock())
    if as_json:
        click.echo(json.dumps(_facts(done)))
        return
    manifest = done.manifest
    click.echo(f"端末 {manifest.box} の {manifest.taken_at} 時点の控えを戻しました（{done.seconds:.1f} 秒）。")
    click.echo(f"Restored box {manifest.box} as of {manifest.taken_at} ({done.seconds:.1f} s).")
    for row in done.unknown:
        click.echo(f"  結果不明の受付： {row.request}（控えの時点では {row.state.value}） / unknown now")
    if done.unknown:
        click.echo("用紙とプリンターを確かめ、hiroba journal resolve で決めてから、係員画面で再開してください。")
        click.echo("Look at paper and printer, decide by hiroba journal resolve, then reopen on the staff screen.")
    for name in done.settings_beside:
        click.echo(f"設定はそのままにし、控えのものを {name} に置きました。 / settings kept, the archive's beside them")
    click.echo("控えのあとに発行された分は、発行サーバーで次を実行して用紙と入金に照らしてください。")
    click.echo("What was issued after the back-up: run this at the issuer and compare with paper and till.")
    click.echo(f"  hiroba backup since --kiosk {manifest.box} --at {manifest.taken_at}")


def _facts(done: Restored) -> dict[str, object]:
    return {
        "archive": done.manifest.archive,
        "box": done.manifest.box,
        "taken_at": done.manifest.taken_at,
        "files": len(done.manifest.files),
        "unknown": [{"request": row.request, "was": row.state.value} for row in done.unknown],
        "settings_beside": list(done.settings_beside),
        "seconds": round(done.seconds, 2),
    }
