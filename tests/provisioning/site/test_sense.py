"""Settings of the right type that make no sense are told before they are on a box: where, what, and what is right."""

from __future__ import annotations

from pathlib import Path

import pytest

from device.errors import SettingsError
from device.secrets import Secret
from kiosk.shell.staff_code import hash_staff_code
from provisioning.backup.age import Identity
from provisioning.messages import explain
from provisioning.site.box_check import check_box
from provisioning.site.city_reading import parse_city
from provisioning.site.reading import open_file, read_site
from provisioning.site.words import words

SETTSU = Path(__file__).parents[3] / "provisioning/examples/settsu.toml"
TEXT = SETTSU.read_text("utf-8")
HASH = hash_staff_code(Secret(b"a code of one"))
MISTAKES = {
    "spots overlap": ('gateway = "192.168.94.1", prefix = 24', 'gateway = "192.168.94.1", prefix = 16', "library"),
    "spots are one": ('gateway = "192.168.94.1", prefix = 24', 'gateway = "192.168.90.1", prefix = 24', "library"),
    "uplink in a spot": ('asset = "R08-0004"', 'network.address = "192.168.90.9/24"', "torikai"),
    "uplink for phones": ('interface = "br-study"', 'interface = "eth0"', "study"),
    "a port twice": ('terminal = "counter"', "port = 8180", "kiosk.port"),
    "no port": ("port = 9100", "port = 91000", "65535"),
    "an address as a name": ('garden = ["www.', 'garden = ["https://www.', "https://"),
    "a time server's address": ('ntp = ["ntp', 'ntp = ["https://ntp', "https://"),
    "a printer's address": ('host = "192.168.10.20"', 'host = "192.168.10.20:9100"', "9100"),
    "a link with a path": ("settsu.example.jp:8101", "settsu.example.jp:8101/a b", "8101/a b"),
    "a plain link": ("https://cityhall.settsu.example.jp:8101", "http://cityhall.settsu.example.jp:8101", "https://"),
    "a plain link to an address": ("https://cityhall.settsu.example.jp:8101", "http://192.168.10.5:8101", "https://"),
    "the issuer by another name": ("cityhall.settsu.example.jp:8101", "issuer.settsu.example.jp:8101", "names"),
    "the issuer at another port": ("cityhall.settsu.example.jp:8101", "cityhall.settsu.example.jp:8102", "8101"),
    "an issuer for others without a credential": (
        'mayor = "見本市長　見本　太郎"',
        'mayor = "見本市長　見本　太郎"\nhost = "0.0.0.0"',
        "tls_certificate",
    ),
    "half a credential": ("max_copies = 5", 'max_copies = 5\ntls_certificate = "a.pem"', "tls_key"),
    "a hash that is a code": ('staff_code_hash = ""', 'staff_code_hash = "2468"', "staff-code"),
    "a cut-off key": ("[usb]", '[backup]\nrecipient = "age1qqqq"\n[usb]', "hiroba backup key"),
    "a short municipality": ('municipality_code = "27999"', 'municipality_code = "2799"', "2799"),
    "nobody to call": ('telephone = "06-0000-0000"  ', 'telephone = " "  ', "空"),
    "no time to answer": ("warning_seconds = 30", "warning_seconds = 5", "20 秒以上"),
    "no time to read": ("idle_seconds = 45", "idle_seconds = -1", "20 秒以上"),
    "a fee below nothing": ("residence_record = 300", "residence_record = -300", "0"),
    "an address twice": ('asset = "R08-0003"', 'network.address = "192.168.10.5/24"', "cityhall-1"),
    "city hall by another name": ('host = "cityhall.settsu', 'host = "cityhall2.settsu', "cityhall.settsu.example.jp"),
    "city hall at another port": ('city_name = "摂津市"', "box_port = 9445", "9445"),
    "a printer opened to visitors": (
        "closed_networks =",
        'open_networks = ["192.168.10.0/28", "192.168.10.20/32"] #',
        "receipt_printer.host = 192.168.10.20",
    ),
    "the router opened to visitors": ("closed_networks =", 'open_networks = ["192.168.10.1/32"] #', "network.gateway"),
    "another plaza's printer opened": (
        'title_en = "Senrioka Wi-Fi"',
        'title_en = "Senrioka Wi-Fi"\nopen_networks = ["192.168.10.120/32"]',
        "receipt_printer.host = 192.168.10.120",
    ),
    "no network opened": ("closed_networks =", 'open_networks = ["999.1.1.1/32"] #', "999.1.1.1"),
    "an operator by name": (
        "[issuer.fees_yen]",
        f'[[issuer.operators]]\nname = "花子"\ncode_hash = "{HASH}"\n[issuer.fees_yen]',
        "s-1042",
    ),
    "an operator twice": (
        "[issuer.fees_yen]",
        f'[[issuer.operators]]\nname = "s-1"\ncode_hash = "{HASH}"\n'
        f'[[issuer.operators]]\nname = "s-1"\ncode_hash = "{HASH[:-6]}AAAAA="\n[issuer.fees_yen]',
        "二度",
    ),
    "two operators with one code": (
        "[issuer.fees_yen]",
        f'[[issuer.operators]]\nname = "s-1"\ncode_hash = "{HASH}"\n'
        f'[[issuer.operators]]\nname = "s-2"\ncode_hash = "{HASH}"\n[issuer.fees_yen]',
        "ほかの職員と同じ",
    ),
    "an operator's code as it is": (
        "[issuer.fees_yen]",
        '[[issuer.operators]]\nname = "s-1"\ncode_hash = "secret-code"\n[issuer.fees_yen]',
        "staff-code",
    ),
    "a responder over https": (
        "[issuer.fees_yen]",
        '[issuer.revocation]\nocsp = "https://ocsp.example.jp/"\n[issuer.fees_yen]',
        "https://ocsp",
    ),
    "a gateway elsewhere": ('gateway = "192.168.10.1"', 'gateway = "192.168.11.1"', "gateway"),
}


def told(text: str) -> SettingsError:
    with pytest.raises(SettingsError) as caught:
        parse_city(text, SETTSU)
    return caught.value


def test_the_example_as_it_stands_makes_sense() -> None:
    assert len(parse_city(TEXT, SETTSU).boxes) == 12


@pytest.mark.parametrize("name", MISTAKES)
def test_a_setting_without_sense_is_told(name: str) -> None:
    old, new, said = MISTAKES[name]
    assert old in TEXT
    error = told(TEXT.replace(old, new, 1))
    facts = error.facts
    assert said in explain(error)
    assert facts["wrong"] != facts["wrong_ja"]
    assert facts["right"] != facts["right_ja"]
    assert int(str(facts["line"])) > 1


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("spots overlap", "ipv4 = { gateway"),
        ("uplink for phones", 'interface = "eth0"'),
        ("a port twice", "[wifi.portal]"),
        ("an address twice", 'network.address = "192.168.10.5/24"'),
        ("city hall at another port", "[cityhall_link]"),
        ("a gateway elsewhere", "[boxes.network]"),
    ],
)
def test_the_line_that_is_named_is_the_one_to_mend(name: str, line: str) -> None:
    old, new, _ = MISTAKES[name]
    text = TEXT.replace(old, new, 1)
    assert line in text.splitlines()[int(str(told(text).facts["line"])) - 1]


def test_what_commands_make_is_taken() -> None:
    text = TEXT.replace('staff_code_hash = ""', f'staff_code_hash = "{hash_staff_code(Secret(b"2468"))}"')
    text = text.replace("[usb]", f'[backup]\nrecipient = "{Identity.make().recipient()}"\n[usb]', 1)
    assert len(parse_city(text, SETTSU).boxes) == 12


def test_a_secret_is_not_repeated_in_the_message() -> None:
    assert "2468" not in explain(told(TEXT.replace('staff_code_hash = ""', 'staff_code_hash = "2468"')))


def test_a_city_s_own_certificate_may_bear_any_name() -> None:
    text = TEXT.replace('host = "cityhall.settsu', 'host = "cityhall2.settsu')
    own = 'names = ["cityhall.settsu.example.jp"]'
    assert parse_city(text.replace(own, f'{own}\ncertificate = "c.pem"\nkey = "k.pem"'), SETTSU).boxes


def test_a_box_that_shows_a_credential_has_a_city_hall(tmp_path: Path) -> None:
    """And an issuer apart from city hall asks it who is revoked."""
    head = '[box]\nname = "a"\n[city]\nname_ja = "市"\nname_en = "C"\ntelephone = "1"\n'
    served = '[issuer]\nmayor = "M"\nmunicipality_code = "27999"\nhost = "192.0.2.5"\n'
    for text in (
        f'{head}[issuer_link]\nurl = "https://issuer.example.jp"\n',
        f'{head}{served}tls_certificate = "a"\ntls_key = "b"\n',
    ):
        file = tmp_path / "site.toml"
        file.write_text(text, "utf-8")
        assert ["cityhall_link" in explain(one) for one in check_box(open_file(file)).mistakes] == [True]
        file.write_text(f'{text}[cityhall_link]\nhost = "cityhall.example.jp"\n', "utf-8")
        assert check_box(open_file(file)).mistakes == []


def test_a_file_without_any_box_is_told_so(tmp_path: Path) -> None:
    (tmp_path / "site.toml").write_text(TEXT.partition("[[boxes]]")[0], "utf-8")
    with pytest.raises(SettingsError) as caught:
        read_site(tmp_path / "site.toml")
    assert "[[boxes]]" in explain(caught.value)


def test_every_kind_of_value_has_words() -> None:
    assert {"str", "int", "float", "bool", "array", "object"} <= words()["got"].keys()
