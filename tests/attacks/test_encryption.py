"""A stolen card opens nothing: real LUKS headers in files, real city hall, and what a thief has of both."""

from __future__ import annotations

import http.client
import itertools
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric import ec

from device.clock import SystemClock
from device.loopback import free_ports
from device.secrets import Secret
from device.sender import LineDown
from provisioning.backup.age import Identity as AgeKey
from provisioning.cityhall.boxes import volumes
from provisioning.cityhall.boxes.authority import private_pem
from provisioning.cityhall.errors import EnrolmentRefused
from provisioning.cli import hiroba
from provisioning.storage import keys, luks
from provisioning.storage.errors import NoSecondHolder, VolumeThere
from provisioning.storage.lock_page import Shown, page
from provisioning.storage.opening import Closed, fetch_share, try_opening
from provisioning.storage.preparing import Holders, Prepared, prepare
from provisioning.storage.record import read_record
from tests.attacks.clone import connection
from tests.fixtures.cityhall_server import CityHallServer

pytestmark = pytest.mark.needs("nginx", "cryptsetup")
NAME, CITY, CLOCK = "plaza-1", AgeKey.make(), SystemClock()
AES = "flags : aes"
"""As /proc/cpuinfo says it; the other cipher needs a kernel that has it."""


@dataclass
class Plaza:
    """A box with an encrypted volume in a file. folder: what lies open on its card."""

    hall: CityHallServer
    prepared: Prepared
    folder: Path
    state: Path

    @property
    def device(self) -> str:
        return self.prepared.record.device

    def share(self) -> str:
        return fetch_share(read_record(self.folder), self.folder, CLOCK)

    def opens(self, share: str) -> bool:
        record = read_record(self.folder)
        return luks.opens(record.device, keys.joined(record.share, share, record.volume))

    def box_state(self) -> str:
        found = self.hall.service.records.box(NAME)
        assert found is not None
        return found.state


def blank(folder: Path, name: str = "card.img") -> str:
    device = folder / name
    with device.open("wb") as file:
        file.truncate(32 << 20)
    return str(device)


@pytest.fixture
def plaza(tmp_path: Path) -> Iterator[Plaza]:
    with CityHallServer(tmp_path, workers=1) as hall:
        config = tmp_path / "site.toml"
        ports = f"enrol_port = {hall.settings.enrol_port}\nbox_port = {hall.settings.box_port}\n"
        config.write_text(
            f'[box]\nname = "{NAME}"\n[city]\nname_ja = "試験市"\nname_en = "TEST"\ntelephone = "06-0000-0000"\n'
            f'[cityhall_link]\nhost = "localhost"\nca = "{hall.ca}"\n{ports}'
        )
        line = connection(tmp_path / "state", config)
        line.steps.enrol(hall.service.records.new_code(NAME, "hanako", int(CLOCK.now().timestamp()), 30))
        assert hall.service.enrolments.approve(line.steps.identity.pending(), "taro")
        assert line.steps.poll() is not None
        client, folder = line.steps.city_hall, tmp_path / "open"
        holders = Holders(False, client, client.settings, CITY.recipient())
        made = prepare(blank(tmp_path), NAME, holders, hall.ca.read_bytes(), folder=folder, cpu=AES)
        yield Plaza(hall, made, folder, tmp_path / "state")


def test_a_box_opens_its_volume_with_city_halls_half_and_again_at_the_next_start(plaza: Plaza) -> None:
    for _ in range(3):
        assert plaza.opens(plaza.share())


def test_the_card_alone_opens_nothing(plaza: Plaza) -> None:
    """Every word on the open part of the card, alone and joined with itself and with nothing."""
    record = read_record(plaza.folder)
    words = [record.share, record.volume, record.key, "", "0" * 64]
    assert not any(luks.opens(record.device, Secret(word.encode())) for word in words if word)
    for other in (record.share, "0" * 64, "f" * 64):
        assert not plaza.opens(other)
    assert luks.is_luks(record.device)


def test_city_halls_half_alone_opens_nothing(plaza: Plaza) -> None:
    share = plaza.share()
    assert not luks.opens(plaza.device, Secret(share.encode()))
    for made_up in ("0" * 64, share):
        assert not luks.opens(plaza.device, keys.joined(made_up, share, plaza.prepared.record.volume))


def test_a_stolen_box_that_staff_have_cut_off_is_given_nothing(plaza: Plaza) -> None:
    assert plaza.hall.service.enrolments.revoke(NAME, "hanako")
    with pytest.raises(EnrolmentRefused, match="box_revoked"):
        plaza.share()


def test_only_the_volumes_own_key_asks_for_its_half(plaza: Plaza) -> None:
    other = private_pem(ec.generate_private_key(ec.SECP256R1())).decode()
    record = msgspec.structs.replace(read_record(plaza.folder), key=other)
    with pytest.raises(EnrolmentRefused, match="signature"):
        fetch_share(record, plaza.folder, CLOCK)


def test_a_copied_card_that_asks_closes_both(plaza: Plaza, tmp_path: Path) -> None:
    plaza.share()
    shutil.copytree(plaza.folder, tmp_path / "copied")
    assert fetch_share(read_record(tmp_path / "copied"), tmp_path / "copied", CLOCK, lambda: "another machine")
    with pytest.raises(EnrolmentRefused, match="box_forked"):
        plaza.share()
    assert plaza.box_state() == "forked"
    assert plaza.hall.service.enrolments.release(NAME, "hanako")
    assert plaza.opens(plaza.share())


def test_the_recovery_key_opens_it_and_city_hall_keeps_it_sealed(plaza: Plaza, tmp_path: Path) -> None:
    typed = plaza.prepared.recovery.lower().replace("-", " ")
    assert luks.opens(plaza.device, keys.recovery_key(typed))
    assert plaza.prepared.escrowed
    ((_, sealed),) = plaza.hall.service.enrolments.volumes.recovery(NAME)
    assert plaza.prepared.recovery not in sealed
    (tmp_path / "city.key").write_text(CITY.text())
    where = ["--config", str(tmp_path / "cityhall.toml"), "--state", str(plaza.hall.state)]
    told = CliRunner().invoke(hiroba, ["cityhall", "recovery", NAME, "--key", str(tmp_path / "city.key"), *where])
    assert plaza.prepared.recovery in told.output
    assert plaza.hall.service.records.staff_actions(NAME)[0].action == "recovery_shown"


def test_a_line_that_is_down_is_told_apart_from_a_refusal(plaza: Plaza) -> None:
    (port,) = free_ports(1)
    record = msgspec.structs.replace(read_record(plaza.folder), enrol_port=port)
    with pytest.raises(LineDown):
        fetch_share(record, plaza.folder, CLOCK)
    closed = try_opening(record, plaza.folder, CLOCK)
    assert closed is not None
    assert closed.code == "line_down"
    plaza.hall.service.enrolments.revoke(NAME, "hanako")
    assert try_opening(read_record(plaza.folder), plaza.folder, CLOCK) == Closed("refused", "box_revoked")


def test_without_tpm_and_city_hall_nothing_is_encrypted_that_the_card_would_open(tmp_path: Path) -> None:
    with pytest.raises(NoSecondHolder):
        prepare(blank(tmp_path), NAME, Holders(False, None, None), b"", folder=tmp_path / "open")
    typed = prepare(
        blank(tmp_path), NAME, Holders(False, None, None, typed=True), b"", folder=tmp_path / "open", cpu=AES
    )
    record = read_record(tmp_path / "open")
    assert (record.unlock, record.share, record.key) == ("typed", "", "")
    assert luks.opens(record.device, keys.recovery_key(typed.recovery))
    assert try_opening(record, tmp_path / "open", CLOCK) == Closed("typed")


def test_a_device_that_holds_something_is_left_alone(tmp_path: Path) -> None:
    device = blank(tmp_path)
    subprocess.run(["mkfs.ext4", "-q", device], check=True, env={"PATH": "/usr/sbin:/sbin:/usr/bin:/bin"})
    with pytest.raises(VolumeThere):
        prepare(device, NAME, Holders(False, None, None, typed=True), b"", folder=tmp_path / "open")


def test_both_sides_sign_the_same_words() -> None:
    assert volumes.UNLOCK_CONTEXT == keys.UNLOCK_CONTEXT


def test_no_archive_holds_what_opens_a_volume(plaza: Plaza, tmp_path: Path) -> None:
    from provisioning.backup.contents import Place, place_of
    from provisioning.backup.snapshot import take

    etc = tmp_path / "hiroba"
    shutil.copytree(plaza.folder, etc / "storage")
    (etc / "site.toml").write_text("# site\n")
    kept = [one.path for one in take(plaza.state, etc / "site.toml", tmp_path / "work")]
    assert "settings/site.toml" in kept
    assert not any("storage" in path for path in kept)
    assert place_of("settings/storage/volume.json", "site.toml", signed=True) is Place.NOWHERE


def test_the_screen_says_why_and_the_box_goes_on_trying(plaza: Plaza, tmp_path: Path) -> None:
    """The unit's own command while city hall is away: the page at the kiosk's port, until the process is ended."""
    port, away = free_ports(2)
    record = msgspec.structs.replace(read_record(plaza.folder), enrol_port=away)
    (plaza.folder / "volume.json").write_bytes(msgspec.json.encode(record))
    config = tmp_path / "screen.toml"
    config.write_text((tmp_path / "site.toml").read_text() + f"[kiosk]\nport = {port}\n")
    words = ["storage", "open", "--wait", "--config", str(config), "--folder", str(plaza.folder)]
    with subprocess.Popen([sys.executable, "-m", "provisioning", *words], stderr=subprocess.DEVNULL) as waiting:
        try:
            said = asked(port)
        finally:
            waiting.terminate()
    assert 'data-page="locked" data-reason="line_down"' in said
    assert "市役所につながりません" in said
    assert "06-0000-0000" in said


def asked(port: int) -> str:
    for _ in range(200):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", "/")
            return connection.getresponse().read().decode()
        except OSError:
            time.sleep(0.1)
        finally:
            connection.close()
    raise TimeoutError


def test_every_reason_has_a_page_in_both_languages() -> None:
    for code in ("line_down", "refused", "failed", "typed"):
        assert f'data-reason="{code}"' in page(Shown(Closed(code), "<b>"))
        assert "<b>" not in page(Shown(Closed(code), "<b>"))


LONE = (
    '[box]\nname = "plaza-1"\n{lone}[city]\nname_ja = "試験市"\nname_en = "TEST"\ntelephone = "06-0000-0000"\n'
    '{here}[issuer]\nmayor = "試験市長"\nmunicipality_code = "27999"\n'
)


@pytest.mark.parametrize(("lone", "here"), list(itertools.product(("", "lone = true\n"), ("", "[kiosk]\n"))))
def test_no_register_is_begun_on_a_plaza_box_that_is_not_declared_lone(lone: str, here: str, tmp_path: Path) -> None:
    file, refused = tmp_path / "site.toml", not lone and bool(here)
    file.write_text(LONE.format(lone=lone, here=here))
    where = ["--config", str(file), "--state", str(tmp_path / "state")]
    checked = CliRunner().invoke(hiroba, ["site", "check", str(file)])
    assert (checked.exit_code, "lone" in checked.output) == ((1, True) if refused else (0, False))
    (tmp_path / "people.json").write_text("[]")
    who = ["--by", "s-1", "--reason", "TEST"]
    CliRunner().invoke(hiroba, ["register", "import", str(tmp_path / "people.json"), *who, *where])
    assert (tmp_path / "state/issuer/register.db").exists() is not refused
    done = CliRunner().invoke(hiroba, ["run", "issuer", *where]) if refused else None
    assert done is None or getattr(done.exception, "code", "") == "register.on_plaza"
