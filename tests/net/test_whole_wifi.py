"""One plaza's Wi-Fi end to end, with the real processes and real clients: what visitors, phones and staff meet."""

from __future__ import annotations

import json
import re
import socket
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest

from captive_portal.portal.probes import PROBES
from tests.fixtures.mail_server import wait_for
from tests.net.topology import in_namespace, until
from tests.net.whole import FAR, PORTAL, Phone, Whole, page_of, token_of

pytestmark = pytest.mark.needs("root", "nft", "ip", "nginx", "dnsmasq", "curl", "dhclient")
API = f"https://{PORTAL}/captive-portal/api"


@pytest.fixture(scope="module")
def plaza(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Whole]:
    made = Whole(tmp_path_factory.mktemp("whole"))
    try:
        made.build()
        yield made
    finally:
        made.close()


@pytest.fixture(scope="module")
def short(plaza: Whole) -> Phone:
    """A phone whose voucher lets it online for one minute, begun before all else: its end comes last."""
    made = json.loads(plaza.hiroba("voucher", "make", "--count", "1", "--minutes", "1", "--json"))
    phone = plaza.phone()
    assert page_of(phone.log_in("voucher", voucher=made["codes"][0])) == "online"
    return phone


@pytest.fixture(scope="module")
def waiting(plaza: Whole, short: Phone) -> Phone:
    """A phone that never logs in."""
    return plaza.phone()


@pytest.fixture(scope="module")
def visitor(plaza: Whole, short: Phone) -> Phone:
    """A phone of somebody who comes and goes."""
    return plaza.phone()


def log_out(phone: Phone) -> None:
    page = phone.visit(f"https://{PORTAL}/")
    if page_of(page) == "online":
        phone.visit(f"https://{PORTAL}/logout", token=token_of(page))


def test_a_dhcp_client_gets_address_router_resolver_and_the_portal(plaza: Whole, waiting: Phone) -> None:
    assert re.fullmatch(r"10\.90\.[0-3]\.[0-9]+", waiting.ip)
    assert (waiting.router, waiting.resolver) == ("10.90.0.1", "10.90.0.1")
    assert waiting.announced == API


VENDORS = [p for p in PROBES if p.host != "*"]


@pytest.mark.parametrize("asked", VENDORS, ids=lambda p: f"{p.host}{p.path}")
def test_a_vendors_check_is_redirected_before_login(waiting: Phone, asked: object) -> None:
    assert isinstance(asked, type(PROBES[0]))
    path = "/" if asked.path == "*" else asked.path
    status, where = waiting.probe(f"http://{asked.host}{path}")
    assert (status, where) == ("302", f"https://{PORTAL}/?d={asked.kind.value}")


def test_every_vendors_check_meets_its_own_server_after_login(visitor: Phone) -> None:
    assert page_of(visitor.log_in()) == "online"
    for asked in VENDORS:
        path = "/" if asked.path == "*" else asked.path
        assert visitor.probe(f"http://{asked.host}{path}") == (str(asked.online_status), asked.online_body)
    log_out(visitor)


def test_tls_before_login_is_refused_and_never_answered_by_us(waiting: Phone) -> None:
    assert (
        waiting.curl("https://www.example.jp/")[0] == 7
    )  # connection refused; 28 would be a time-out, 60 a wrong name


def by_mail(plaza: Whole, phone: Phone) -> str:
    before = len(plaza.mail.taken)
    page = phone.log_in("email_code", address="visitor@example.jp")
    wait_for(lambda: len(plaza.mail.taken) > before)
    mail = plaza.mail.taken[-1]
    assert mail.over == "tls"
    code, request = re.search(r"\b[0-9]{6}\b", mail.text), re.search(r'name="request" value="([0-9a-f]+)"', page)
    assert code
    assert request
    form = {"token": token_of(page), "method": "email_code", "request": request[1], "code": code[0]}
    return phone.visit(f"https://{PORTAL}/login", **form)


def by_voucher(plaza: Whole, phone: Phone) -> str:
    (code,) = json.loads(plaza.hiroba("voucher", "make", "--count", "1", "--minutes", "20", "--json"))["codes"]
    return phone.log_in("voucher", voucher=code)


def by_tap(_plaza: Whole, phone: Phone) -> str:
    return phone.log_in()


WAYS = {"one_tap": by_tap, "email_code": by_mail, "voucher": by_voucher}


@pytest.mark.parametrize("method", WAYS)
def test_each_method_goes_from_the_check_to_the_internet_and_log_out_closes(
    plaza: Whole, visitor: Phone, method: str
) -> None:
    assert not visitor.passes()
    page = WAYS[method](plaza, visitor)
    assert page_of(page) == "online"
    assert visitor.passes()
    assert [s["method"] for s in plaza.online() if s["mac"] == visitor.mac] == [method]
    log_out(visitor)
    assert not visitor.passes()


def test_the_api_of_rfc_8908_tells_the_phone_how_it_stands(waiting: Phone, visitor: Phone) -> None:
    code, told = waiting.curl("-i", API)
    assert code == 0
    assert "content-type: application/captive+json" in told.lower()
    assert "no-store" in told.lower()
    state = json.loads(told.splitlines()[-1])
    assert (state["captive"], state["user-portal-url"]) == (True, f"https://{PORTAL}/")
    visitor.log_in()
    state = json.loads(visitor.curl(API)[1])
    assert not state["captive"]
    assert state.keys() == {
        "captive", "user-portal-url", "venue-info-url", "can-extend-session", "seconds-remaining", "bytes-remaining"
    }  # fmt: skip
    assert 1700 < state["seconds-remaining"] <= 1800
    log_out(visitor)


def test_a_kept_connection_to_the_portal_does_not_hold_a_phone_back(visitor: Phone) -> None:
    """A check, the log-in and the check again by one client that keeps connections: the second passes."""
    first = visitor.visit(f"https://{PORTAL}/")
    login = ["--data-urlencode", f"token={token_of(first)}", "-d", "method=one_tap", f"https://{PORTAL}/login"]
    check, plain = "http://captive.apple.com/hotspot-detect.html", ["--next", "-s", "--max-time", "10"]
    trust = ["--cacert", str(visitor.trust)]
    code, told = visitor.curl(check, *plain, *trust, "-o", "/dev/null", *login, *plain, check)
    assert code == 0
    assert "Success" in told
    log_out(visitor)


def test_the_resume_link_goes_on_with_the_minutes_on_a_new_mac(plaza: Whole, visitor: Phone) -> None:
    page = visitor.log_in()
    link = re.search(r'data-action="resume-link" href="([^"]+)"', page)
    assert link
    (before,) = [s for s in plaza.online() if s["mac"] == visitor.mac]
    visitor.new_mac("02:00:5e:21:00:99")
    assert not visitor.passes()
    offer = visitor.visit(f"https://{PORTAL}{link[1].replace('&amp;', '&')}")
    resume = re.search(r'name="resume_token" value="([^"]+)"', offer)
    assert resume
    page = visitor.visit(f"https://{PORTAL}/resume", token=token_of(offer), resume_token=resume[1])
    assert page_of(page) == "online"
    assert visitor.passes()
    assert [s["session"] for s in plaza.online() if s["mac"] == visitor.mac] == [before["session"]]
    log_out(visitor)


def test_a_killed_portal_opens_for_nobody_and_comes_back(plaza: Whole, visitor: Phone, waiting: Phone) -> None:
    visitor.log_in()
    plaza.kill("portal")
    assert visitor.passes()
    assert waiting.probe()[0] == "302"
    code, told = waiting.curl("-w", "%{http_code}", f"https://{PORTAL}/")
    assert (code, told[-3:], "混み合っています" in told, "It is busy now" in told) == (0, "503", True, True)
    plaza.start_hiroba("portal")
    assert page_of(waiting.visit(f"https://{PORTAL}/")) == "welcome"
    assert page_of(visitor.visit(f"https://{PORTAL}/")) == "online"
    log_out(visitor)


def test_a_phone_that_stalls_on_a_thousand_connections_stops_nobody(
    plaza: Whole, visitor: Phone, waiting: Phone
) -> None:
    def half_heads() -> list[socket.socket]:
        held = []
        for number in range(1_000):
            made = socket.socket()
            made.setblocking(False)
            made.connect_ex(("10.90.0.1", 8180 if number % 2 else 8181))
            held.append(made)
        return held

    held = in_namespace(waiting.space, half_heads)
    for made in held:
        with suppress(OSError):
            made.send(b"GET / HTTP/1.1\r\nHo")
    for _ in range(3):
        assert page_of(visitor.log_in()) == "online"
        log_out(visitor)
    for made in held:
        made.close()


def test_a_killed_nginx_opens_for_nobody_and_comes_back(plaza: Whole, visitor: Phone, waiting: Phone) -> None:
    visitor.log_in()
    plaza.kill("nginx")
    assert visitor.passes()
    assert waiting.probe()[0].startswith("curl")
    plaza.start_hiroba("nginx")
    assert waiting.probe()[0] == "302"
    log_out(visitor)


def test_a_killed_gate_keeps_sessions_and_opens_for_nobody(plaza: Whole, visitor: Phone, waiting: Phone) -> None:
    visitor.log_in()
    (before,) = [s["session"] for s in plaza.online() if s["mac"] == visitor.mac]
    plaza.kill("gate")
    assert visitor.passes()
    assert not waiting.passes()
    code, told = waiting.curl("-o", "/dev/null", "-w", "%{http_code}", f"https://{PORTAL}/")
    assert (code, told) == (0, "503")
    plaza.start_hiroba("gate")
    assert [s["session"] for s in plaza.online() if s["mac"] == visitor.mac] == [before]
    assert page_of(visitor.visit(f"https://{PORTAL}/")) == "online"
    assert not waiting.passes()
    log_out(visitor)


def after(seconds: int) -> str:
    """So many seconds from now."""
    return time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(time.time() + seconds))


def test_disaster_mode_opens_for_all_counts_them_and_ends_by_itself_after_a_restart(
    plaza: Whole, waiting: Phone
) -> None:
    flag = plaza.state / "gate" / "disaster"
    plaza.start_hiroba("stats")
    plaza.hiroba("disaster", "on", "--reason", "TEST", "--until", after(600))
    assert flag.exists()
    assert waiting.passes()
    page = waiting.visit(f"https://{PORTAL}/")
    assert page_of(page) == "disaster"
    until(lambda: json.loads(plaza.hiroba("stats", "show", "--json"))["total"]["disaster_phones"], 60)
    plaza.hiroba("disaster", "on", "--reason", "TEST", "--until", after(8))
    plaza.kill("gate")
    plaza.start_hiroba("gate")
    until(lambda: not flag.exists(), 60)
    assert not waiting.passes()


def test_the_page_of_a_disaster_opens_without_the_uplink(plaza: Whole, waiting: Phone) -> None:
    plaza.hiroba("disaster", "on", "--reason", "TEST", "--until", after(600))
    plaza.uplink("down")
    assert not waiting.passes()
    for address in (f"https://{PORTAL}/", f"http://{PORTAL}/", "http://10.90.0.1/"):
        assert page_of(waiting.visit(address)) == "disaster"
    plaza.uplink("up")
    plaza.hiroba("disaster", "off")
    assert waiting.probe()[0] == "302"


def test_staff_end_a_session_at_once(plaza: Whole, visitor: Phone) -> None:
    visitor.log_in()
    (session,) = [s["session"] for s in plaza.online() if s["mac"] == visitor.mac]
    plaza.hiroba("wifi", "end", session)
    assert not visitor.passes()
    assert page_of(visitor.visit("http://captive.apple.com/hotspot-detect.html")) == "ended"


def test_a_phone_can_not_reach_its_neighbour_on_a_plain_bridge(plaza: Whole, waiting: Phone, visitor: Phone) -> None:
    assert waiting.run("ping", "-c", "1", "-W", "1", visitor.ip).returncode != 0
    assert waiting.run("ping", "-c", "1", "-W", "1", "10.90.0.1").returncode == 0


def test_the_minutes_of_a_voucher_end_and_the_page_says_so(plaza: Whole, short: Phone) -> None:
    until(lambda: all(s["mac"] != short.mac for s in plaza.online()), 75)
    assert not short.passes()
    assert page_of(short.visit("http://captive.apple.com/hotspot-detect.html")) == "ended"


def test_no_mac_stands_in_any_log(plaza: Whole, visitor: Phone) -> None:
    logs = {f.name: f.read_text("utf-8", "replace") for f in plaza.folder.glob("*.log")}
    assert {"gate.log", "portal.log", "nginx.log", "dnsmasq.log"} <= logs.keys()
    assert [name for name, text in logs.items() if "02:00:5e" in text or visitor.ip in text or FAR in text] == []
