"""Runs inside the container, in the phone's namespace: what a phone's owner does. Prints what the phone saw."""

from __future__ import annotations

import sys
import urllib.error
import urllib.request
from urllib.parse import urlsplit

from provisioning.demo.plain_browser import PlainBrowser

FAR = "http://198.19.9.9/copyright"


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_arguments: object) -> None:
        """Follow nothing: where it leads to is the answer."""


def probe() -> str:
    """What a phone gets for a page of the Internet: "portal HOST", "online" or "nothing"."""
    try:
        with urllib.request.build_opener(_Stay).open(FAR, timeout=5) as answer:
            return "online" if b"Debian" in answer.read() else "something else"
    except urllib.error.HTTPError as error:
        return f"portal {error.headers['Location']}"
    except OSError:
        return "nothing"


def log_in() -> str:
    """Through the portal's own pages; what the phone sees of the Internet then."""
    seen = probe()
    if not seen.startswith("portal "):
        return seen
    press("login", seen.removeprefix("portal "))
    return probe()


def press(action: str, address: str) -> None:
    """A control on the portal's page at ``address``."""
    portal = urlsplit(address)
    browser = PlainBrowser(f"http://{portal.netloc}/")
    browser.open(f"{portal.path}?{portal.query}")
    browser.press(action)


if __name__ == "__main__":
    print({"probe": probe, "login": log_in}[sys.argv[1]]())  # noqa: T201 - the test reads it
