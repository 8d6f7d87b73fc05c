"""What is rendered for nginx, that it reads it, and that its maps and the tables of the portal are one."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from importlib import resources
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from captive_portal.portal.origins import Origins
from captive_portal.portal.probes import AGENTS, PROBES, kind_of
from captive_portal.settings import PortalSettings
from kiosk.issuer.settings import IssuerSettings
from provisioning.box.render.nginx import NginxRuntime, Tls, quoted
from provisioning.box.render.nginx_portal import portal
from provisioning.box.render.refusal import CannotRender
from provisioning.cityhall.settings import CityHallSettings
from provisioning.site.model import Site
from provisioning.site.reading import read_site
from provisioning.web.nginx_process import NginxConfiguration
from provisioning.web.nginx_roles import box, cityhall
from tests.fixtures.tls import write_test_credential
from tests.fixtures.web_processes import WebProcesses

FIXTURES = Path(__file__).parents[3] / "fixtures" / "render"
STATE = Path("/var/lib/hiroba")
PLACE = NginxRuntime(STATE / "nginx/box")
STATIC = str(resources.files("captive_portal.portal") / "static")


def site(name: str) -> Site:
    return read_site(FIXTURES / name / "site.toml")


def with_issuer() -> Site:
    issuer = IssuerSettings(
        mayor="TEST",
        municipality_code="272000",
        host="127.0.0.9",
        tls_certificate="a.pem",
        tls_key="a.key",
        client_ca="ca",
    )
    return msgspec.structs.replace(site("plain"), wifi=None, issuer=issuer)


def hall(place: NginxRuntime) -> NginxConfiguration:
    own = Tls(*(STATE / "fleet/ca" / name for name in ("server.pem", "server-key.pem", "city-ca.pem")))
    return cityhall(CityHallSettings(names=["fleet.city.example.jp"]), own, STATE, place)


def hall_with_issuer(place: NginxRuntime) -> NginxConfiguration:
    """City hall and the issuer on one machine: no credential of the issuer's own."""
    own = Tls(*(STATE / "fleet/ca" / name for name in ("server.pem", "server-key.pem", "city-ca.pem")))
    issuer = IssuerSettings(mayor="TEST", municipality_code="272000", host="127.0.0.8")
    return cityhall(CityHallSettings(names=["fleet.city.example.jp"]), own, STATE, place, issuer)


CASES: dict[str, Callable[[NginxRuntime], NginxConfiguration]] = {
    "plain": lambda place: box(site("plain"), STATE, place),
    "two_spots": lambda place: box(site("two_spots"), STATE, place),
    "issuer": lambda place: box(with_issuer(), STATE, place),
    "cityhall": hall,
    "cityhall_issuer": hall_with_issuer,
}


@pytest.mark.parametrize("case", CASES)
def test_rendering_gives_the_golden_file(case: str) -> None:
    text = CASES[case](PLACE).text.replace(STATIC, "/STATIC")
    assert text == (FIXTURES / "nginx" / f"{case}.conf").read_text("utf-8")


@pytest.mark.needs("nginx")
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("ipv6", [False, True])
def test_nginx_reads_what_is_rendered(case: str, ipv6: bool, tmp_path: Path) -> None:
    certificate, key = write_test_credential(tmp_path)
    text = CASES[case](NginxRuntime(tmp_path, ipv6=ipv6)).text
    for file in CASES[case](PLACE).credentials:
        text = text.replace(f'"{file}"', f'"{key if "key" in file.name else certificate}"')
    (tmp_path / "nginx.conf").write_text(text, "utf-8")
    command = ["/usr/sbin/nginx", "-t", "-e", "stderr", "-p", str(tmp_path), "-c", str(tmp_path / "nginx.conf")]
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (told.returncode, "warn" in told.stderr) == (0, False), told.stderr


def test_nothing_logs_a_request_or_an_address() -> None:
    for case in CASES.values():
        lines = [line.strip() for line in case(PLACE).text.splitlines()]
        assert [line for line in lines if line.startswith("access_log")] == ["access_log off;"]
        levels = sorted(line for line in lines if line.startswith("error_log"))
        assert levels == ["error_log stderr emerg;", "error_log stderr warn;"]  # of connections, of the processes


def test_every_header_that_an_application_believes_is_set_wherever_it_is_asked() -> None:
    for case in CASES.values():
        text = case(PLACE).text
        asked = text.count("proxy_pass ")
        for header in (
            "X-Real-IP",
            "X-Forwarded-Proto",
            "X-Hiroba-Listener",
            "X-Hiroba-Credential",
            "X-Hiroba-Admitted",
        ):
            assert text.count(f"proxy_set_header {header} ") == asked > 0


def test_only_the_doors_of_machines_ask_for_a_credential() -> None:
    assert [CASES[case](PLACE).text.count("ssl_verify_client on;") for case in CASES] == [0, 0, 1, 1, 2]


def test_the_issuer_hears_of_a_request_only_after_city_hall_was_asked_about_its_box() -> None:
    texts = {name: CASES[name](PLACE).text for name in ("cityhall", "cityhall_issuer", "issuer")}
    assert {name: text.count("auth_request ") for name, text in texts.items()} == {
        "cityhall": 0,
        "cityhall_issuer": 1,
        "issuer": 0,
    }
    said = 'X-Hiroba-Admitted "1"'  # nginx's word for it: said where it asked, and nowhere else
    assert {name: text.count(said) for name, text in texts.items()} == {
        "cityhall": 0,
        "cityhall_issuer": 1,
        "issuer": 0,
    }


@pytest.mark.parametrize("name", ["a b", "a;b", "a{", 'a"', "a$b", "a\nb", "a_b", ""])
def test_a_name_that_nginx_would_read_otherwise_is_refused(name: str) -> None:
    wifi = site("plain").wifi
    assert wifi is not None
    with pytest.raises(CannotRender):
        portal(msgspec.structs.replace(wifi, portal=PortalSettings(name=name)), STATE, PLACE)


@given(st.text(max_size=40))
def test_a_quoted_word_stays_in_its_place(text: str) -> None:
    try:
        word = quoted(text)
    except CannotRender:
        assert not text or any(ord(c) < 32 or c in '"\\${};\x7f' for c in text)
        return
    assert word == f'"{text}"'


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebProcesses]:
    with WebProcesses(tmp_path_factory.mktemp("m"), tls=False) as running:
        yield running


HOSTS = st.sampled_from(
    [*{p.host for p in PROBES if p.host != "*"}, "Captive.Apple.com", "vendor.example", "x.y", "198.51.100.7"]
)
PATHS = st.sampled_from([*{p.path for p in PROBES if p.path != "*"}, "/", "/any", "/a/b.html"])
NAMES = [mark for mark, _ in AGENTS]
MARKS = st.lists(st.sampled_from([*NAMES, *map(str.upper, NAMES), "Mozilla/5.0", "x"]), max_size=3).map(" ".join)


@pytest.mark.needs("nginx")
def test_the_kind_of_device_is_the_portal_s_own_answer(web: WebProcesses) -> None:
    @settings(max_examples=300, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(HOSTS, st.sampled_from(["", ".", ":80", ":8180"]), PATHS, st.sampled_from(["", "?a=/x"]), MARKS)
    def each(host: str, end: str, path: str, query: str, agent: str) -> None:
        headers = web.ask("GET", path + query, Host=host + end, User_Agent=agent)[1]
        assert headers["location"].partition("?d=")[2] == kind_of(host + end, path, agent.strip()).value

    each()


@pytest.mark.needs("nginx")
def test_the_portal_s_own_names_are_never_redirected_and_no_other_is_served(web: WebProcesses) -> None:
    wifi = read_site(web.config).wifi
    assert wifi is not None
    for name in Origins(wifi).hosts:
        assert web.ask("GET", "/static/icon.svg", Host=name)[0] == 200, name
    for name in ("wifi.example.jp.evil", "evil.wifi.example.jp", "10.91.0.2", "[::2]"):
        assert web.ask("GET", "/static/icon.svg", Host=name)[0] == 302, name
