"""A new box's seed: what cloud-init makes of it, what is never in it, and the sheet."""

from __future__ import annotations

import hashlib
import io
import re
import subprocess
import tarfile
import tomllib
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pypdfium2
import pytest
import yaml
import zxingcpp
from click.testing import CliRunner, Result

from provisioning.box.seed.application import archive
from provisioning.box.seed.cloud import System, seed, without_secrets
from provisioning.box.seed.first_start import CODE as CODE_PLACE
from provisioning.box.seed.first_start import script
from provisioning.box.seed.public import certificates, ssh_keys
from provisioning.box.seed.sheet import label_link, sheet
from provisioning.cityhall.boxes.authority import make_authority, private_pem
from provisioning.cli import hiroba
from provisioning.enrolment.identity import Identity
from provisioning.errors import NoCityHall, NotPublic
from provisioning.messages import has_message
from provisioning.site.city import City
from provisioning.site.city_reading import read_city
from provisioning.site.model import Site

ROOT = Path(__file__).parents[4]
SETTSU = ROOT / "provisioning" / "examples" / "settsu.toml"
CODE = "TEST-AAAA-BBBB-CCCC"
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAITEST TEST"
PRIVATE = "PRIVATE" + " KEY"  # put together here, so that no key's first line stands in the tree
SYSTEMS: tuple[System, ...] = ("raspios", "debian")


@pytest.fixture(scope="module")
def city() -> City:
    return read_city(SETTSU)


def files_of(city: City, name: str, system: System = "raspios") -> dict[str, str]:
    box = city.box(name)
    return seed(box.site, box.toml, system, code=CODE, keys=[KEY], application="0" * 64)


def written(user_data: str) -> dict[str, str]:
    return {file["path"]: file["content"] for file in yaml.safe_load(user_data)["write_files"]}


@pytest.mark.needs("cloud-init")
@pytest.mark.parametrize("keys", [[], [KEY]], ids=["no key", "a key"])
@pytest.mark.parametrize("system", SYSTEMS)
def test_cloud_init_finds_nothing_wrong_with_user_data(
    city: City, tmp_path: Path, system: System, keys: list[str]
) -> None:
    box = city.box("library-1")
    file = tmp_path / "user-data"
    file.write_text(seed(box.site, box.toml, system, code=CODE, keys=keys)["user-data"], "utf-8")
    told = subprocess.run(["cloud-init", "schema", "-c", str(file)], capture_output=True, text=True, check=False)
    assert (told.returncode, "Error" in told.stderr) == (0, False), told.stderr


@pytest.mark.needs("cloud-init")
@pytest.mark.parametrize("name", ["library-1", "cityhall-1"])
def test_cloud_init_turns_network_config_into_netplan(city: City, tmp_path: Path, name: str) -> None:
    (tmp_path / "network-config").write_text(files_of(city, name)["network-config"], "utf-8")
    words = ["cloud-init", "devel", "net-convert", "-k", "yaml", "-D", "debian", "-O", "netplan"]
    words += ["-p", str(tmp_path / "network-config"), "-d", str(tmp_path / "out")]
    subprocess.run(words, check=True, capture_output=True)
    made = yaml.safe_load(next((tmp_path / "out").rglob("*.yaml")).read_text("utf-8"))["network"]
    own = made["ethernets"]["eth0"]
    assert own["dhcp4"] is (name == "library-1")
    assert own.get("addresses", []) == (["192.168.10.5/24"] if name == "cityhall-1" else [])


@pytest.mark.parametrize("system", SYSTEMS)
def test_the_box_s_own_site_file_comes_with_the_seed(city: City, system: System) -> None:
    found = written(files_of(city, "library-1", system)["user-data"])["/etc/hiroba/site.toml"]
    site = city.box("library-1").site
    assert msgspec.convert(tomllib.loads(found), Site) == site


def test_no_secret_is_in_the_seed_but_the_code(city: City) -> None:
    box = city.box("cityhall-1")
    toml = box.toml.replace("[cityhall]\n", '[cityhall]\ndatabase = "postgresql://TEST:TEST-password@db/hiroba"\n')
    toml += '\n[kiosk]\nstaff_code_hash = "scrypt$TEST$TEST"\n'
    files = seed(box.site, toml, "debian", code=CODE, keys=[KEY])
    assert not [text for text in files.values() if "TEST-password" in text or "scrypt" in text]
    assert [name for name, text in files.items() if CODE in text] == ["user-data"]
    assert "staff_code_hash" not in without_secrets(toml)


def test_a_code_is_in_a_file_for_root_alone_and_never_an_argument(city: City) -> None:
    text = files_of(city, "library-1")["user-data"]
    entry = next(file for file in yaml.safe_load(text)["write_files"] if file["content"].strip() == CODE)
    assert entry["permissions"] == "0600"
    assert text.count(CODE) == 1


def test_another_seed_is_another_instance_and_the_same_seed_the_same(city: City) -> None:
    box = city.box("library-1")
    one, same, other = (seed(box.site, box.toml, "raspios", code=code)["meta-data"] for code in ("A", "A", "B"))
    assert one == same != other
    assert yaml.safe_load(one)["local-hostname"] == "library-1"


@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize("screen", [True, False])
def test_the_first_start_is_a_script_that_the_shell_reads(system: System, screen: bool) -> None:
    text = script(system, "0" * 64, screen=screen)
    subprocess.run(["sh", "-n"], input=text, text=True, check=True)
    assert ("--without-screen" in text) is not screen
    assert text.index("sha256sum") < text.index("tar -xzf") < text.index("hiroba install") < text.index("enrol")


def test_an_application_that_was_changed_on_the_card_is_not_unpacked(tmp_path: Path) -> None:
    text = script("raspios", hashlib.sha256(b"whole").hexdigest(), screen=True)
    (tmp_path / "hiroba.tar.gz").write_bytes(b"changed")
    text = text.replace("/boot/firmware /boot", str(tmp_path)).replace("/opt/hiroba", str(tmp_path / "opt"))
    told = subprocess.run(["sh"], input=text, text=True, capture_output=True, check=False)
    assert told.returncode != 0
    assert not (tmp_path / "opt").exists()


def test_the_application_is_packed_to_the_same_bytes_and_can_start() -> None:
    one = archive(ROOT)
    assert one == archive(ROOT)
    with tarfile.open(fileobj=io.BytesIO(one)) as tar:
        names = set(tar.getnames())
        assert tar.getmember("hiroba").mode == 0o755
    assert {"provisioning/cli.py", "requirements.lock", "systemd/system/hiroba.target", "device/store.py"} <= names
    assert not [name for name in names if name.startswith("tests/") or "__pycache__" in name or "/." in name]


@pytest.mark.needs("bizud")
def test_every_label_s_code_leads_to_its_box(city: City) -> None:
    sites = [box.site for box in city.boxes]
    pdf = sheet(sites, {}, {}, datetime(2026, 11, 23, tzinfo=UTC))
    found = set()
    for page in pypdfium2.PdfDocument(pdf):
        found |= {code.text for code in zxingcpp.read_barcodes(page.render(scale=3).to_pil())}
    assert found == {label_link(site) for site in sites}
    assert "https://cityhall.settsu.example.jp:8443/boxes/park-1" in found


@pytest.mark.needs("bizud")
def test_a_code_stands_on_its_slip_and_not_on_the_label(city: City) -> None:
    sites = [city.box("library-1").site]
    pdf = sheet(sites, {}, {"library-1": CODE}, datetime(2026, 11, 23, tzinfo=UTC))
    texts = [page.get_textpage().get_text_bounded() for page in pypdfium2.PdfDocument(pdf)]
    assert [CODE in text for text in texts] == [False, True, False]
    assert "市民図書館" in texts[0]


@pytest.mark.needs("bizud")
def test_hiroba_seed_writes_every_box_of_the_city(tmp_path: Path) -> None:
    words = ["seed", "--all", "--config", str(SETTSU), "--out", str(tmp_path), "--without-application"]
    result = CliRunner().invoke(hiroba, words)
    assert result.exit_code == 0, result.output
    boxes = {path.name for path in tmp_path.iterdir() if path.is_dir()}
    assert (len(boxes), (tmp_path / "inventory.pdf").exists()) == (12, True)
    for box in boxes:
        assert {path.name for path in (tmp_path / box).iterdir()} == {"user-data", "network-config", "meta-data"}
        assert (tmp_path / box / "user-data").stat().st_mode & 0o077 == 0


@pytest.mark.needs("bizud")
def test_city_hall_makes_a_code_for_each_box(tmp_path: Path) -> None:
    state = str(tmp_path / "state")
    run = CliRunner().invoke
    run(hiroba, ["cityhall", "ca", "--out", str(tmp_path / "ca.pem"), "--config", str(SETTSU), "--state", state])
    words = ["seed", "--all", "--make-code", "--config", str(SETTSU), "--state", state]
    result = run(hiroba, [*words, "--out", str(tmp_path / "out"), "--without-application"])
    assert result.exit_code == 0, (result.output, result.exception)
    found = [written(file.read_text("utf-8")) for file in tmp_path.rglob("user-data")]
    codes = [files[CODE_PLACE] for files in found]
    assert len(set(codes)) == 12
    assert all(re.fullmatch(r"([0-9A-Z]{4}-){3}[0-9A-Z]{4}\n", code) for code in codes)
    own = (tmp_path / "ca.pem").read_text("utf-8")
    assert {files["/var/lib/hiroba/enrolment/city-ca.pem"] for files in found} == {own}


def seeded(tmp_path: Path, *words: str) -> Result:
    out = str(tmp_path / "out")
    plain = ["seed", "--box", "park-1", "--config", str(SETTSU), "--out", out, "--without-application"]
    return CliRunner().invoke(hiroba, [*plain, *words])


def test_codes_are_made_on_city_hall_s_server_alone(tmp_path: Path) -> None:
    result = seeded(tmp_path, "--make-code", "--state", str(tmp_path / "laptop"))
    assert isinstance(result.exception, NoCityHall)
    assert not (tmp_path / "laptop").exists()


@pytest.mark.parametrize(
    ("option", "text"),
    [
        ("--ssh-key", f"-----BEGIN OPENSSH {PRIVATE}-----\nTEST\n"),
        ("--ssh-key", "a password\n"),
        ("--ssh-key", ""),
        ("--ca", f"-----BEGIN {PRIVATE}-----\nTEST\n-----END {PRIVATE}-----\n"),
        ("--ca", "a password\n"),
        ("--trust", "a password\n"),
        ("--trust", '{"signatures": [], "signed": {"_type": "targets"}}'),
    ],
)
def test_what_is_not_public_does_not_get_onto_a_card(tmp_path: Path, option: str, text: str) -> None:
    (tmp_path / "given").write_text(text, "utf-8")
    result = seeded(tmp_path, option, str(tmp_path / "given"))
    assert isinstance(result.exception, NotPublic)
    assert not (tmp_path / "out").exists()
    assert has_message(result.exception.code)


def test_a_key_beside_the_city_s_ca_does_not_get_onto_a_card(tmp_path: Path) -> None:
    authority = make_authority("TEST", ["localhost"], datetime(2026, 4, 1, tzinfo=UTC))
    mixed = authority.pem + private_pem(authority.key).decode()
    with pytest.raises(NotPublic):
        certificates(mixed, tmp_path)
    assert certificates(f"notes\n{authority.pem}", tmp_path) == authority.pem


def test_public_keys_pass_and_notes_beside_them_do_not(tmp_path: Path) -> None:
    assert ssh_keys(f"# hanako\n{KEY}\n\n", tmp_path) == [KEY]


@pytest.mark.needs("bizud")
def test_a_seed_that_leaves_work_at_the_box_says_so(tmp_path: Path) -> None:
    told = seeded(tmp_path).stderr
    assert "--ca" in told
    assert "hiroba enrol --code" in told


def test_the_code_lies_where_the_box_looks_for_it() -> None:
    assert Identity(Path("/var/lib/hiroba/enrolment")).code_file == Path(CODE_PLACE)
