"""What was called fleet is called city hall: the former names of sections, parts, commands and options still work."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner

from provisioning.box.apply.plan import is_secret
from provisioning.box.install.unit_files import enablement_links as links
from provisioning.box.install.units import REPLACED_BY
from provisioning.box.render.box import CITYHALL, render_box
from provisioning.box.render.site_file import POLICY
from provisioning.box.seed.cloud import without_secrets
from provisioning.cli import hiroba
from provisioning.commands.install import command as install
from provisioning.site.city_reading import parse_city
from provisioning.site.reading import read_site
from provisioning.site.renamed import PARTS, SECTIONS, renamed

ROOT = Path(__file__).parents[2]
SETTSU = ROOT / "provisioning/examples/settsu.toml"
TODAY = SETTSU.read_text("utf-8")


def as_it_was(text: str) -> str:
    """The same settings under the names of the first release."""
    text = text.replace("[cityhall]", "[fleet]").replace("[cityhall_link]", "[fleet_link]")
    return text.replace('parts = ["issuer", "cityhall"]', 'parts = ["issuer", "fleet"]')


def test_a_city_s_file_with_the_former_names_means_the_same_and_each_is_told_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "city.toml"
    before, now = parse_city(as_it_was(TODAY), file), parse_city(TODAY, file)
    parse_city(as_it_was(TODAY), file)
    assert [(box.site, box.toml) for box in before.boxes] == [(box.site, box.toml) for box in now.boxes]
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 3
    assert all("cityhall" in line and "名前が変わりました" in line for line in lines)


def test_a_box_s_own_file_with_the_former_names_is_read(tmp_path: Path) -> None:
    file = tmp_path / "site.toml"
    text = parse_city(TODAY, SETTSU).box("cityhall-1").toml
    file.write_text(re.sub(r'"cityhall",?\n', '"fleet",\n', text.replace("[cityhall", "[fleet"), count=1), "utf-8")
    assert read_site(file) == parse_city(TODAY, SETTSU).box("cityhall-1").site


def test_a_mistake_under_a_former_name_is_told_at_its_line(tmp_path: Path) -> None:
    (tmp_path / "city.toml").write_text(as_it_was(TODAY).replace('host = "cityhall.', 'hots = "cityhall.'), "utf-8")
    told = CliRunner().invoke(hiroba, ["site", "check", str(tmp_path / "city.toml")])
    line = TODAY.splitlines().index('host = "cityhall.settsu.example.jp"') + 1
    assert told.exit_code == 1
    assert f"city.toml:{line}: cityhall_link.hots" in told.output


def test_a_password_under_a_former_name_is_left_out_of_a_seed() -> None:
    text = '[fleet]\nnames = ["x"]\ndatabase = "postgresql://TEST:TEST-password@db/hiroba"\n'
    assert "TEST-password" not in without_secrets(text)


def test_the_file_of_city_hall_s_service_is_made_from_a_box_s_file_with_the_former_names() -> None:
    box = parse_city(TODAY, SETTSU).box("cityhall-1")
    former = box.toml.replace("[cityhall]", "[fleet]").replace("[cityhall.places]", "[fleet.places]")
    files = render_box(box.site, former, POLICY.read_text("utf-8"), Path("/var/lib/hiroba"), None)
    assert tomllib.loads(files[CITYHALL].text)["cityhall"]["names"] == ["cityhall.settsu.example.jp"]


def test_the_file_that_is_taken_away_by_an_apply_shows_its_password_to_nobody() -> None:
    assert is_secret("etc/hiroba/fleet.toml")
    assert is_secret(CITYHALL)
    assert not is_secret("etc/hiroba/browser.env")


def test_a_section_under_both_names_is_not_guessed_at() -> None:
    tree, notes = renamed({"fleet": {"names": ["a"]}, "cityhall": {"names": ["b"]}})
    assert (tree, notes) == ({"fleet": {"names": ["a"]}, "cityhall": {"names": ["b"]}}, [])


def test_the_former_commands_work_and_say_their_new_name_in_one_line(tmp_path: Path) -> None:
    where = ["--config", str(SETTSU), "--state", str(tmp_path)]
    told = CliRunner().invoke(hiroba, ["fleet", "ca", "--out", str(tmp_path / "ca.pem"), *where])
    assert (told.exit_code, (tmp_path / "ca.pem").exists()) == (0, True)
    assert [line for line in told.stderr.splitlines() if "cityhall" in line] == told.stderr.splitlines()[:1]
    run = CliRunner().invoke(hiroba, ["run", "fleet", "--help"])
    assert (run.exit_code, len(run.stderr.splitlines())) == (0, 1)
    assert "run cityhall" in run.stderr


def test_the_script_lets_former_names_through() -> None:
    told = subprocess.run([ROOT / "hiroba", "fleet", "--help"], capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stderr
    assert "is now called" in told.stderr


def test_the_former_names_are_in_no_help() -> None:
    texts = [
        CliRunner().invoke(hiroba, words).output for words in (["--help"], ["run", "--help"], ["install", "--help"])
    ]
    assert [text for text in texts if "fleet" in text] == []
    assert {"--fleet", "--cityhall"} <= {name for option in install.params for name in option.opts}


def test_every_former_name_leads_to_one_of_today() -> None:
    system = ROOT / "systemd/system"
    assert all(links(system, unit) for units in REPLACED_BY.values() for unit in units)
    assert not [former for former in REPLACED_BY if (system / former).exists()]
    assert set(SECTIONS.values()) == {"cityhall", "cityhall_link"}
    assert set(PARTS.values()) == {"cityhall"}
