"""An apply: what changes, what is actions of systemd, and that the box is all old or all new whatever happens."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provisioning.box.apply.applier import Applier
from provisioning.box.apply.plan import FileState, changes, diff_text
from provisioning.box.apply.tree import FileTree, UndoRecord
from provisioning.box.render.box import SITE, render_box
from provisioning.box.render.files import Rendered
from provisioning.box.render.site_file import POLICY
from provisioning.site.city import City
from provisioning.site.city_reading import parse_city
from provisioning.site.model import Site

SETTSU = Path(__file__).parents[4] / "provisioning" / "examples" / "settsu.toml"
TEXT = SETTSU.read_text("utf-8")


class Box:
    """A box in a folder: the programs it was actions to run, and whether it stays healthy."""

    def __init__(self, root: Path) -> None:
        self.root, self.asked, self.wrong, self.watched = root, list[tuple[str, ...]](), "", list[str]()
        self.refused: tuple[str, ...] = ()

    def run(self, *words: str) -> str:
        self.asked.append(words)
        return "refused" if words[: len(self.refused)] == self.refused != () else ""

    def health(self, _site: Site, touched: Sequence[str]) -> str:
        self.watched = list(touched)
        return self.wrong

    def applying(self) -> Applier:
        return Applier(FileTree(self.root, self.root / "memory", groups=False), self, self.health)

    def apply(self, rendered: dict[str, Rendered]) -> str:
        self.asked.clear()
        self.watched = []
        applying = self.applying()
        return applying.apply(rendered, applying.plan(rendered)).wrong

    def files(self) -> dict[str, str]:
        found = [path for path in self.root.rglob("*") if path.is_file() and "memory" not in path.parts]
        return {str(path.relative_to(self.root)): path.read_text("utf-8") for path in found}

    def restarted(self) -> set[str]:
        return {unit for words in self.asked if words[:2] == ("systemctl", "restart") for unit in words[3:]}


@pytest.fixture
def box(tmp_path: Path) -> Box:
    return Box(tmp_path)


def rendered(name: str = "library-1", old: str = "", new: str = "") -> dict[str, Rendered]:
    assert old in TEXT
    city: City = parse_city(TEXT.replace(old, new, 1) if old else TEXT, SETTSU)
    found = city.box(name)
    return render_box(found.site, found.toml, POLICY.read_text("utf-8"), Path("/var/lib/hiroba"), None)


def texts(files: dict[str, Rendered]) -> dict[str, str]:
    return {path: file.text for path, file in files.items()}


def test_the_first_apply_writes_every_file_and_starts_every_unit(box: Box) -> None:
    assert box.apply(rendered()) == ""
    assert box.files() == texts(rendered())
    started = next(words for words in box.asked if words[:2] == ("systemctl", "start") and "--no-block" in words)
    assert {"hiroba-kiosk.service", "hiroba-gate.service", "hiroba-dnsmasq@study.service"} <= set(started)


def test_the_second_apply_changes_and_asks_nothing(box: Box) -> None:
    box.apply(rendered())
    assert box.applying().plan(rendered()) == []
    box.apply(rendered())
    assert box.asked == []


@pytest.mark.parametrize(
    ("old", "new", "units"),
    [
        ("idle_seconds = 45", "idle_seconds = 50", {"hiroba-kiosk.service"}),
        ('name_ja = "摂津市"', 'name_ja = "試験市"', {"hiroba-kiosk.service"}),
        (
            "minutes_per_visit = 60",
            "minutes_per_visit = 30",
            {"hiroba-gate.service", "hiroba-portal.service", "hiroba-stats.service", "hiroba-nginx@box.service"},
        ),
        ('asset = "R08-0008"', 'asset = "R08-9008"', {"hiroba-kiosk.service"}),
        ("# ---", "# A comment: ---", set()),
    ],
)
def test_only_what_reads_the_change_starts_anew(box: Box, old: str, new: str, units: set[str]) -> None:
    box.apply(rendered())
    assert box.apply(rendered("library-1", old, new)) == ""
    assert box.restarted() == units
    assert box.watched == [unit for unit in box.watched if unit in units]


def test_one_spot_s_names_start_that_spot_s_dnsmasq_alone(box: Box) -> None:
    box.apply(rendered())
    box.apply(rendered("library-1", 'dns = ["192.168.10.53"]', 'dns = ["192.168.10.54"]'))
    assert {unit for unit in box.restarted() if "dnsmasq" in unit} == {"hiroba-dnsmasq@study.service"}


def test_what_is_wanted_no_more_is_stopped_and_its_files_go(box: Box) -> None:
    box.apply(rendered())
    two_spots = texts(rendered())
    box.apply(rendered("chisatooka-1"))
    assert box.files() == texts(rendered("chisatooka-1"))
    assert "etc/hiroba/wifi/dnsmasq-study.conf" in two_spots
    disabled = next(words for words in box.asked if words[:2] == ("systemctl", "disable"))
    assert "hiroba-dnsmasq@study.service" in disabled


def test_a_file_that_is_not_ours_is_never_removed(box: Box) -> None:
    other = box.root / "etc" / "hiroba" / "wifi" / "passphrase"
    other.parent.mkdir(parents=True)
    other.write_text("TEST-passphrase")
    box.apply(rendered())
    box.apply(rendered("station-1"))
    assert other.read_text() == "TEST-passphrase"


def test_an_unhealthy_change_is_taken_back_files_and_units(box: Box) -> None:
    box.apply(rendered())
    before, box.wrong = box.files(), "hiroba-portal.service"
    assert box.apply(rendered("library-1", "minutes_per_visit = 60", "minutes_per_visit = 30")) == box.wrong
    assert box.files() == before
    restarts = [words for words in box.asked if words[:3] == ("systemctl", "restart", "--no-block")]
    assert restarts[0] == restarts[1]


def test_a_unit_that_systemd_refuses_is_taken_back_too(box: Box) -> None:
    box.apply(rendered())
    before, box.refused = box.files(), ("systemctl", "restart", "--no-block")
    assert box.apply(rendered("library-1", "idle_seconds = 45", "idle_seconds = 50")) == "refused"
    assert box.files() == before


def test_a_program_that_is_not_ours_may_be_missing(box: Box) -> None:
    box.refused = ("systemctl", "try-restart")
    assert box.apply(rendered()) == ""


def test_a_root_that_is_not_running_gets_its_files_and_no_program_is_asked(tmp_path: Path) -> None:
    applying = Applier(FileTree(tmp_path, tmp_path / "memory", groups=False), None, None)
    assert applying.apply(rendered(), applying.plan(rendered())).wrong == ""
    assert Box(tmp_path).files() == texts(rendered())


def test_files_have_the_modes_that_rendering_gave_them(box: Box) -> None:
    box.apply(rendered())
    modes = {path: (box.root / path).stat().st_mode & 0o777 for path in rendered()}
    assert modes == {path: file.mode for path, file in rendered().items()}
    assert modes["etc/hiroba/wifi/hostapd-wlan0.conf"] == 0o600


def test_a_passphrase_is_never_shown_and_kept_for_root_alone(box: Box) -> None:
    secret = {"etc/hiroba/wifi/hostapd-wlan0.conf": Rendered("wpa_passphrase=TEST-passphrase\n", True, 0o600)}
    planned = box.applying().plan(secret)
    assert "TEST-passphrase" not in "".join(diff_text(change) for change in planned)
    box.wrong = "cut"
    FileTree(box.root, box.root / "memory", groups=False).begin(UndoRecord(planned, [], "x"))
    assert (box.root / "memory" / "undo.json").stat().st_mode & 0o777 == 0o600


def test_the_diff_shows_old_and_new(box: Box) -> None:
    box.apply(rendered())
    planned = box.applying().plan(rendered("library-1", "idle_seconds = 45", "idle_seconds = 50"))
    assert [change.path for change in planned] == [SITE]
    assert {"-idle_seconds = 45", "+idle_seconds = 50"} <= set(diff_text(planned[0]).splitlines())


class PowerCut(BaseException):
    """Nothing of ours runs after it."""


class CutTree(FileTree):
    """A tree whose power goes after ``left`` acts."""

    left = 0

    def _tick(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise PowerCut

    def write(self, path: str, file: FileState | None) -> None:
        self._tick()
        super().write(path, file)

    def begin(self, undo: UndoRecord) -> None:
        self._tick()
        super().begin(undo)

    def commit(self, undo: UndoRecord) -> None:
        self._tick()
        super().commit(undo)

    def clear(self) -> None:
        self._tick()
        super().clear()


PLACES = ["etc/a", "etc/b/c", "etc/b/d", "etc/hiroba/wifi/dnsmasq-x.conf"]
STATION = {SITE: rendered("station-1")[SITE].text}
FILES = st.dictionaries(st.sampled_from(PLACES), st.text("xy")).map(lambda files: files | STATION)


@settings(max_examples=150, deadline=None)
@given(FILES, FILES, st.integers(0, 12), st.integers(0, 12), st.booleans())
def test_a_power_cut_anywhere_leaves_all_old_or_all_new(
    old: dict[str, str], new: dict[str, str], cut: int, second: int, healthy: bool
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        box = Box(Path(folder))
        box.apply({path: Rendered(text) for path, text in old.items()})
        wanted = {path: Rendered(text) for path, text in new.items()}
        for tries, left in enumerate((cut, second)):
            tree = CutTree(box.root, box.root / "memory", groups=False)
            tree.left, box.wrong = left, "" if healthy else "broken"
            applying = Applier(tree, box, lambda *_: box.wrong)
            try:
                applying.recover()
                assert box.files() in (old, new)
                if tries == 0:
                    applying.apply(wanted, applying.plan(wanted))
            except PowerCut:
                continue
        box.applying().recover()
        assert box.files() in (old, new)
        assert healthy or box.files() == old or old == new
        box.wrong = ""
        box.apply(wanted)
        assert box.files() == new
        assert box.applying().plan(wanted) == []


@given(FILES, FILES)
def test_a_plan_holds_what_differs_and_nothing_else(old: dict[str, str], new: dict[str, str]) -> None:
    here = {path: FileState(text.encode(), 0o644, "") for path, text in old.items()}
    planned = changes({path: Rendered(text) for path, text in new.items()}, here, list(old), groups=False)
    assert {c.path for c in planned} == {p for p in {*old, *new} if old.get(p) != new.get(p)}
    assert [c.path for c in planned] == sorted(c.path for c in planned)


def test_the_first_apply_after_an_installation_starts_what_it_did_not_and_stops_what_is_not_wanted(box: Box) -> None:
    (box.root / "etc/hiroba").mkdir(parents=True)
    (box.root / SITE).write_text(rendered("cityhall-1")[SITE].text, "utf-8")
    box.apply(rendered("cityhall-1"))
    said = {words[1]: words[2:] for words in box.asked if words[0] == "systemctl"}
    assert "hiroba-cityhall.service" in said["enable"]
    assert "hiroba-kiosk.service" in said["disable"]
    assert "hiroba-issuer.service" not in said["enable"]
