"""``hiroba apply``: make this box be what its site file says."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path

import click

from provisioning.box.apply.applier import Applier, ApplyResult
from provisioning.box.apply.errors import ApplyRolledBack
from provisioning.box.apply.plan import Change, diff_text
from provisioning.box.apply.system import HEALTH_SECONDS, SystemRunner, UnitHealth
from provisioning.box.apply.tree import FileTree
from provisioning.box.render.box import SITE
from provisioning.box.render.site_file import box_files, open_box, passphrases
from provisioning.commands.options import site_options
from provisioning.errors import RootNeeded
from provisioning.site.model import Site

ROOT = Path("/")
_FOLDER = click.Path(path_type=Path, file_okay=False)


@click.command("apply")
@site_options
@click.option("--box", "name", default="", help="Which box, when --config is the file of a city.")
@click.option(
    "--root", type=click.Path(path_type=Path, file_okay=False), default=ROOT, help="Root of an offline image."
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--dry-run", is_flag=True, help="Show what would change, change nothing.")
@click.option("--recover", is_flag=True, help="Only take back an apply that was cut short (for the start of the box).")
@click.option("--seconds", type=click.FloatRange(1, 600), default=HEALTH_SECONDS, help="Time to become healthy.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def command(
    *,
    config: Path,
    state: Path,
    name: str,
    root: Path,
    yes: bool,
    dry_run: bool,
    recover: bool,
    seconds: float,
    as_json: bool,
) -> None:
    """Show what would change, change it, and take it back by itself when the box is not healthy within a minute."""
    running = root.resolve() == ROOT
    if running and os.geteuid() != 0 and not dry_run:
        raise RootNeeded(command="hiroba apply", reason="/etc と systemd を変えるため / it changes /etc and systemd")
    tree = FileTree(root, (state if running else root / "var/lib/hiroba") / "apply", groups=os.geteuid() == 0)
    if not dry_run and Applier(tree, SystemRunner() if running else None, None).recover():
        click.echo("途中で切れた前回の適用を元に戻しました。 / An apply cut short was taken back.", err=True)
    if recover:
        return
    box = open_box(config, name)
    site, rendered = box.site, box_files(box, state, passphrases(box, state))
    runner = SystemRunner() if running else None
    applying = Applier(tree, runner, UnitHealth(_site_now(root), seconds) if running else None)
    planned = applying.plan(rendered)
    _show(planned, as_json)
    if dry_run or (planned and not yes and not as_json and not click.confirm("適用しますか / Apply")):
        _tell(site, planned, ApplyResult(()), as_json)
        return
    outcome = applying.apply(rendered, planned)
    if outcome.wrong:
        raise ApplyRolledBack(box=site.box.name, reason=outcome.wrong)
    _tell(site, planned, outcome, as_json)


def _site_now(root: Path) -> Site | None:
    from device.errors import SettingsError
    from provisioning.site.reading import read_site

    try:
        return read_site(root / SITE)
    except SettingsError:
        return None


def _show(planned: Sequence[Change], as_json: bool) -> None:
    if not as_json:
        for change in planned:
            click.echo(diff_text(change))


def _tell(site: Site, planned: Sequence[Change], outcome: ApplyResult, as_json: bool) -> None:
    if as_json:
        facts = {"box": site.box.name, "planned": [change.path for change in planned], "changed": outcome.changed}
        click.echo(json.dumps(facts, ensure_ascii=False))
    elif not planned:
        click.echo("変わるところはありません。 / Nothing changes.")
    elif outcome.changed:
        click.echo(f"{len(outcome.changed)} 個のファイルを適用しました。 / applied.")
    else:
        click.echo("何も変えていません。 / Nothing was changed.")
