"""What is rendered for dnsmasq and hostapd, and that both programs read it."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from captive_portal.settings import DhcpSettings, Ipv4Settings, PortalSettings, SpotSettings, SsidSettings
from device.secrets import Secret
from provisioning.box.render.dnsmasq import dnsmasq
from provisioning.box.render.files import render
from provisioning.box.render.hostapd import Bss, hostapd
from provisioning.box.render.refusal import CannotRender
from provisioning.site.reading import read_site
from tests.provisioning.wifi_box import WifiBox, make_box

GOLDEN = Path(__file__).parents[3] / "fixtures" / "render"
STATE = Path("/var/lib/hiroba")
PASSPHRASES = {"wifi/passphrase": Secret(b"TEST-passphrase\n")}
FILES = sorted(GOLDEN.glob("*/*.conf"))


def spot(**changes: object) -> SpotSettings:
    plain = SpotSettings(
        name="hall",
        interface="br-lan",
        uplink="eth0",
        ipv4=Ipv4Settings(gateway="10.90.0.1"),
        dhcp=DhcpSettings(first="10.90.0.10", last="10.90.0.20"),
    )
    return msgspec.structs.replace(plain, **changes)


@pytest.mark.parametrize("case", ["plain", "two_spots"])
def test_rendering_gives_the_golden_files(case: str) -> None:
    site = read_site(GOLDEN / case / "site.toml")
    assert site.wifi is not None
    files = render(site.wifi, site.box.name, STATE, PASSPHRASES)
    golden = {path.name: path.read_text("utf-8") for path in (GOLDEN / case).glob("*.conf")}
    assert {name: file.text for name, file in files.items()} == golden


@pytest.mark.needs("dnsmasq")
@pytest.mark.parametrize("path", [f for f in FILES if f.name.startswith("dnsmasq")], ids=lambda p: p.parent.name)
def test_dnsmasq_reads_every_golden_file(path: Path) -> None:
    told = subprocess.run(["dnsmasq", "--test", "-C", str(path)], capture_output=True, text=True, check=False)
    assert (told.returncode, "syntax check OK" in told.stderr) == (0, True), told.stderr


@pytest.mark.needs("hostapd")
@pytest.mark.parametrize("path", [f for f in FILES if f.name.startswith("hostapd")], ids=lambda p: p.stem)
def test_hostapd_reads_every_golden_file(path: Path) -> None:
    # The radio of the golden files does not exist: hostapd reads the whole file, then stops at the driver.
    told = subprocess.run(["hostapd", str(path)], capture_output=True, text=True, check=False, timeout=20)
    assert "errors found in configuration file" not in told.stdout
    assert "AP-DISABLED" in told.stdout or "Could not" in told.stdout, told.stdout


@pytest.mark.needs("hostapd")
def test_hostapd_would_say_what_it_can_not_read(tmp_path: Path) -> None:
    path = tmp_path / "wrong.conf"
    path.write_text((GOLDEN / "plain" / "hostapd-hap-none0.conf").read_text("utf-8") + "no_such_key=1\n", "utf-8")
    told = subprocess.run(["hostapd", str(path)], capture_output=True, text=True, check=False, timeout=20)
    assert "1 errors found in configuration file" in told.stdout


def test_the_portal_is_announced_only_with_https() -> None:
    plain, named = PortalSettings(), PortalSettings(tls_certificate="tls/a.pem", tls_key="tls/a.key")
    assert "114" not in dnsmasq(spot(), plain, STATE)
    assert 'dhcp-option-force=114,"https://wifi.example.jp/captive-portal/api"' in dnsmasq(spot(), named, STATE)


def test_nothing_logs_queries_or_leases() -> None:
    texts = [path.read_text("utf-8") for path in FILES if path.name.startswith("dnsmasq")]
    keys = {line.partition("=")[0] for text in texts for line in text.splitlines() if not line.startswith("#")}
    assert not {"log-queries", "log-dhcp", "log-facility"} & keys
    assert {"quiet-dhcp", "quiet-dhcp6", "quiet-ra", "stop-dns-rebind"} <= keys


def test_every_network_name_keeps_its_phones_apart() -> None:
    for path in FILES:
        text = path.read_text("utf-8")
        assert text.count("ap_isolate=1") == text.count("ssid2=")


def test_only_the_twin_for_disasters_has_the_common_name() -> None:
    for path in FILES:
        if path.name.startswith("hostapd"):
            assert ('ssid2="00000JAPAN"' in path.read_text("utf-8")) == (".disaster." in path.name)


@pytest.mark.parametrize(
    "dhcp",
    [("10.91.0.10", "10.91.0.20"), ("10.90.0.20", "10.90.0.10"), ("10.90.0.1", "10.90.0.9"), ("10.90.0.0", "x")],
)
def test_a_range_that_makes_no_sense_is_refused(dhcp: tuple[str, str]) -> None:
    with pytest.raises(CannotRender, match="dhcp"):
        dnsmasq(spot(dhcp=DhcpSettings(first=dhcp[0], last=dhcp[1])), PortalSettings(), STATE)


@given(st.text(min_size=1, max_size=32))
def test_a_network_name_never_breaks_out_of_its_line(name: str) -> None:
    bss = Bss(SsidSettings(ssid=name, interface="hap-none0"), "br-lan")
    try:
        text = hostapd("hap-none0", [bss], {}, box="TEST")
    except CannotRender:
        assert len(name.encode("utf-8", "replace")) > 32 or any(ord(c) < 32 or c in '"\x7f' for c in name)
        return
    assert [line for line in text.split("\n") if line.startswith("ssid2=")] == [f'ssid2="{name}"']


@pytest.mark.parametrize("passphrase", ["short", "x" * 64, "ひろばのパスワード"])
def test_a_passphrase_hostapd_could_not_use_is_refused(passphrase: str) -> None:
    bss = Bss(SsidSettings(ssid="TEST", security="wpa3", passphrase_file="p"), "br-lan")
    with pytest.raises(CannotRender, match="passphrase"):
        hostapd("wlan0", [bss], {"p": Secret(passphrase.encode())}, box="TEST")


@pytest.fixture
def box(tmp_path: Path) -> WifiBox:
    return make_box(tmp_path)


def test_site_render_writes_the_files(box: WifiBox, tmp_path: Path) -> None:
    out = tmp_path / "out"
    told = json.loads(box.run("site", "render", "--out", str(out), "--json").output)
    assert sorted(told["written"]) == sorted(str(path) for path in out.iterdir())
    modes = {path.name: path.stat().st_mode & 0o777 for path in out.iterdir()}
    assert modes["hostapd-hap-none0.conf"] == modes["hostapd-hap-none0.disaster.conf"] == 0o600
    assert (box.state / "dnsmasq").is_dir()
    assert f"dhcp-leasefile={box.state}/dnsmasq/leases" in (out / "dnsmasq-hall.conf").read_text("utf-8")


def test_site_check_says_ok(box: WifiBox) -> None:
    assert box.run("site", "check").output.startswith("OK ")


def mistakes(box: WifiBox) -> list[dict[str, object]]:
    """What ``hiroba site check --json`` lists."""
    found = box.run("site", "check", "--json", ok=False)
    assert found.exit_code == 1
    return list(json.loads(found.output)["mistakes"])


def test_site_check_names_file_line_and_key(box: WifiBox) -> None:
    text = box.config.read_text("utf-8")
    box.config.write_text(text.replace('uplink = "eth0"', 'uplinc = "eth0"'), "utf-8")
    (mistake,) = mistakes(box)
    assert (mistake["key"], mistake["line"]) == ("wifi.spots[0].uplinc", 1 + text[: text.index("uplink")].count("\n"))


def test_spots_that_share_a_lease_file_are_told_apart(box: WifiBox) -> None:
    shutil.copy(GOLDEN / "two_spots" / "site.toml", box.config)
    text = box.config.read_text("utf-8").replace("school.leases", "hall.leases")
    (box.state / "wifi").mkdir(parents=True)
    (box.state / "wifi" / "passphrase").write_text("TEST-passphrase")
    box.config.write_text(text, "utf-8")
    assert [one["key"] for one in mistakes(box)] == ["wifi.spots[1].dhcp.leases"]


def test_a_missing_passphrase_file_is_a_settings_error(box: WifiBox) -> None:
    shutil.copy(GOLDEN / "two_spots" / "site.toml", box.config)
    assert [one["key"] for one in mistakes(box)] == ["wifi.spots[0].ssids[1].passphrase_file"]
