"""Runs inside the container: staff at city hall's pages. Arguments: approve, revoke or state (printed), and a box."""

from __future__ import annotations

import http.cookiejar
import re
import ssl
import sys
import urllib.parse
import urllib.request

PAGES = "https://127.0.0.1:8443"
CA = "/var/lib/hiroba/enrolment/city-ca.pem"
NAME, PASSWORD = "TEST-staff", "TEST-correct-horse"


class Hall:
    """One member of staff, logged in."""

    def __init__(self) -> None:
        tls = urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=CA))
        cookies = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self._browser = urllib.request.build_opener(tls, cookies)
        self.send("/login", name=NAME, password=PASSWORD)

    def page(self, path: str) -> str:
        """A page as served."""
        return str(self._browser.open(PAGES + path, timeout=20).read().decode())

    def send(self, path: str, **fields: str) -> str:
        """A form; what came back."""
        body = urllib.parse.urlencode(fields).encode()
        return str(self._browser.open(PAGES + path, body, timeout=20).read().decode())


def approve(hall: Hall, box: str) -> None:
    """The one request of ``box`` that waits."""
    page = hall.page("/enrolments")
    (asked,) = re.findall(rf'data-enrolment="([^"]+)" data-box="{box}"', page)
    hall.send(f"/enrolments/{asked}", token=_token(page), decision="approve")


def revoke(hall: Hall, box: str) -> None:
    """Cut ``box`` off, by typing its name."""
    hall.send(f"/boxes/{box}/revoke", token=_token(hall.page(f"/boxes/{box}")), typed=box)


def state(hall: Hall, box: str) -> None:
    """What the list of boxes says of it."""
    found = re.search(rf'<tr[^>]*data-box="{box}"[^>]*>', hall.page("/"))
    print(found[0] if found else "unknown")  # noqa: T201 - the test reads it


def _token(page: str) -> str:
    return str(re.findall(r'name="token" value="([^"]+)"', page)[0])


if __name__ == "__main__":
    {"approve": approve, "revoke": revoke, "state": state}[sys.argv[1]](Hall(), sys.argv[2])
