"""What people and hardware do in the handbook, done by the test: ``python -m tests.docs.stand_ins WHAT …``.

first-start SEED       the box takes what `hiroba seed` wrote, as cloud-init does
staff-approve BOX      a member of staff says yes on city hall's page
phone-comes            a phone logs in by one tap
power-cut              a request whose end nobody knows stands in the kiosk's journal
await WHERE            until somebody listens there: HOST:PORT or a unix socket
"""

from __future__ import annotations

import http.cookiejar
import re
import socket
import sqlite3
import ssl
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Callable
from pathlib import Path

import yaml

from captive_portal.gate.client import SocketGateClient
from captive_portal.gate.protocol import Open, Opened
from provisioning.cityhall.accounts.authenticator_app import code_at

STATE = Path("/var/lib/hiroba")
PAGES = "https://cityhall.mihon.example.jp:8443"
REQUEST = "0198c0de-0000-7000-8000-000000000001"


def first_start(seed: str) -> None:
    """Every file of user-data at its place; what its script would install is here already."""
    for file in yaml.safe_load(Path(seed, "user-data").read_text("utf-8"))["write_files"]:
        place = Path(file["path"])
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(file["content"], "utf-8")


def staff_approve(box: str) -> None:
    """Log in, find the one request of ``box``, say yes."""
    tls = urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile="city-ca.pem"))
    browser = urllib.request.build_opener(tls, urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))

    def send(path: str, **fields: str) -> str:
        body = urllib.parse.urlencode(fields).encode() if fields else None
        return str(browser.open(PAGES + path, body, timeout=20).read().decode())

    page = send("/login", name="hanako", password=Path("first-password.txt").read_text("utf-8").strip())
    _second_step(page, send)
    page = send("/enrolments")
    (asked,) = re.findall(rf'data-enrolment="([^"]+)" data-box="{box}"', page)
    token = str(re.findall(r'name="token" value="([^"]+)"', page)[0])
    send(f"/enrolments/{asked}", token=token, decision="approve")


def _second_step(page: str, send: Callable[..., str]) -> None:
    """At the first log-in an app is registered; later ones take one of the recovery codes that were written down."""
    codes, token = Path("recovery-codes.txt"), str(re.findall(r'name="token" value="([^"]+)"', page)[0])
    if 'data-page="enrol-factor"' in page:
        secret = str(re.findall(r"data-secret>([A-Z2-7 ]+)<", page)[0]).replace(" ", "")
        shown = send("/login/enrol", token=token, code=code_at(secret, int(time.time())))
        codes.write_text("\n".join(re.findall(r"data-recovery>([0-9A-Z-]+)<", shown)), "ascii")
    else:
        first, *rest = codes.read_text("ascii").split()
        codes.write_text("\n".join(rest), "ascii")
        send("/login/second", token=token, code=first)


def phone_comes() -> None:
    """It has a lease; then it taps."""
    leases = STATE / "dnsmasq/leases"
    leases.parent.mkdir(exist_ok=True)
    leases.write_text(f"{int(time.time()) + 3600} 02:00:00:00:00:33 192.168.90.33 * *\n")
    answer = SocketGateClient(STATE / "gate/gate.sock").open(Open(ip="192.168.90.33", method="one_tap"))
    assert isinstance(answer, Opened), answer


def power_cut() -> None:
    """As `hiroba run kiosk` leaves it when it starts after a cut and finds a job that it cannot follow."""
    with sqlite3.connect(STATE / "kiosk/kiosk.db") as connection:
        connection.execute(
            "INSERT INTO request"
            " (request, visit, kind, copies, state, reason, issue_number, fee_yen, pages, asked_at, moved_at) VALUES"
            " (?, 'visit', 'residence_record', 1, 'unknown', 'restarted', '2026-00000001', 300, 1, ?, ?)",
            (REQUEST, "2026-11-30T10:00:00+09:00", "2026-11-30T10:01:00+09:00"),
        )


def wait_for(where: str) -> None:
    """Half a minute at most."""
    for _ in range(300):
        try:
            if where.startswith("/"):
                with socket.socket(socket.AF_UNIX) as door:
                    door.connect(where)
            else:
                host, _, port = where.rpartition(":")
                socket.create_connection((host, int(port)), 1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise TimeoutError(where)


if __name__ == "__main__":
    what: dict[str, Callable[..., None]] = {
        "first-start": first_start,
        "staff-approve": staff_approve,
        "phone-comes": phone_comes,
        "power-cut": power_cut,
        "await": wait_for,
    }
    what[sys.argv[1]](*sys.argv[2:])
