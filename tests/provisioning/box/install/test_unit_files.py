"""Units of a release are laid so that all can read them, and those of the former one that it has not are taken away."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from provisioning.box.install.unit_files import (
    ENABLED,
    SCREEN,
    enabled,
    enablement_links,
    has_screen,
    install_files,
    stale_links,
    units_to_enable,
)
from provisioning.box.install.units import SHIPPED, wanted
from provisioning.site.reading import read_site

ROOT = Path(__file__).parents[4]
SYSTEM = SHIPPED / "systemd/system"
SITE = read_site(ROOT / "tests/boot/site.toml")


@pytest.fixture
def strict() -> Iterator[None]:
    """The umask of our units."""
    before = os.umask(0o077)
    yield
    os.umask(before)


def release(folder: Path, **units: str) -> Path:
    """A ``systemd`` folder with today's policy and these units."""
    (folder / "system").mkdir(parents=True)
    (folder / "chromium").mkdir()
    (folder / "chromium/hiroba.json").write_text((ROOT / "systemd/chromium/hiroba.json").read_text("utf-8"), "utf-8")
    for name, text in units.items():
        (folder / f"system/hiroba-{name}.service").write_text(text)
    return folder


def test_what_a_former_release_laid_and_this_one_has_not_is_taken_away(tmp_path: Path) -> None:
    root = tmp_path / "root"
    install_files(release(tmp_path / "one", kiosk="1", old="1"), SITE, root)
    (root / SYSTEM / "city.service").write_text("the city's own")
    install_files(release(tmp_path / "two", kiosk="2", new="2"), SITE, root)
    laid = {file.name: file.read_text() for file in (root / SYSTEM).iterdir()}
    assert laid == {"hiroba-kiosk.service": "2", "hiroba-new.service": "2", "city.service": "the city's own"}


def test_the_way_back_lays_the_former_release_as_it_was(tmp_path: Path) -> None:
    root, one = tmp_path / "root", release(tmp_path / "one", kiosk="1")
    for shipped in (one, release(tmp_path / "two", kiosk="2", new="2"), one):
        install_files(shipped, SITE, root)
    assert [file.name for file in (root / SYSTEM).iterdir()] == ["hiroba-kiosk.service"]
    assert (root / SYSTEM / "hiroba-kiosk.service").read_text() == "1"


@pytest.mark.usefixtures("strict")
def test_what_is_laid_can_be_read_by_every_process_whatever_the_umask(tmp_path: Path) -> None:
    install_files(ROOT / "systemd", SITE, tmp_path / "root")
    modes = {str(path): path.stat().st_mode & 0o055 for path in (tmp_path / "root").rglob("*") if not path.is_symlink()}
    assert {path for path, mode in modes.items() if mode & 0o044 != 0o044} == set()


def enable(root: Path, target: str, unit: str) -> Path:
    link = root / ENABLED / f"{target}.wants" / unit
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to("/dev/null")
    return link


def test_an_installation_leaves_enabled_what_the_site_wants_and_nothing_else(tmp_path: Path) -> None:
    kept = enable(tmp_path, "hiroba.target", "hiroba-kiosk.service")
    unwanted = enable(tmp_path, "hiroba.target", "hiroba-cityhall.service")
    elsewhere = enable(tmp_path, "multi-user.target", "hiroba-kiosk.service")
    found = stale_links(tmp_path, ROOT / "systemd", wanted(SITE, screen=False))
    assert found == sorted([unwanted, elsewhere])
    assert kept.is_symlink()


def test_an_update_leaves_what_staff_enabled_while_the_release_has_it(tmp_path: Path) -> None:
    enable(tmp_path, "hiroba.target", "hiroba-cityhall.service")
    enable(tmp_path, "hiroba.target", "hiroba-dnsmasq@hall.service")
    gone = enable(tmp_path, "hiroba.target", "hiroba-no-more.service")
    assert stale_links(tmp_path, ROOT / "systemd", None) == [gone]


def test_what_was_enabled_under_a_former_name_is_enabled_under_today_s(tmp_path: Path) -> None:
    former = enable(tmp_path, "hiroba.target", "hiroba-fleet.service")
    units = units_to_enable(SITE, enabled(tmp_path), screen=False)
    assert {"hiroba-cityhall.service", "hiroba-nginx@cityhall.service"} <= set(units)
    assert "hiroba-cityhall-tidy.timer" not in units
    assert stale_links(tmp_path, ROOT / "systemd", None) == [former]
    assert "hiroba-cityhall.service" not in units_to_enable(SITE, (), screen=False)


def test_a_box_keeps_its_screen_or_its_lack_of_one(tmp_path: Path) -> None:
    assert not has_screen(tmp_path)
    enable(tmp_path, "hiroba.target", SCREEN)
    assert has_screen(tmp_path)


def test_every_unit_that_is_enabled_says_by_whom_it_is_wanted() -> None:
    system = ROOT / "systemd/system"
    assert [unit for unit in wanted(SITE, screen=True) if not enablement_links(system, unit)] == []
    assert enablement_links(system, "hiroba-dnsmasq@hall.service") == [
        Path("hiroba.target.wants/hiroba-dnsmasq@hall.service")
    ]
    assert enablement_links(system, "hiroba-of-another-release.service") == []


def test_the_addresses_that_apply_allowed_for_this_box_outlive_an_update(tmp_path: Path) -> None:
    file = tmp_path / "site.toml"
    text = (ROOT / "tests/boot/site.toml").read_text("utf-8")
    file.write_text(text.replace("127.0.0.1:8631", "203.0.113.7:631"), "utf-8")
    install_files(ROOT / "systemd", read_site(file), tmp_path / "root")
    assert "203.0.113.7" in (tmp_path / "root" / ENABLED / "hiroba-kiosk.service.d/addresses.conf").read_text()
