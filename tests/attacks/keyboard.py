"""A keyboard at the kiosk: Chromium under the policy in this mount namespace, on a screen in memory, and keys that a
visitor would try. Prints JSON: key -> how often the kiosk's page was asked for after it. Needs no network but loopback.
"""

import http.server
import json
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import ClassVar

PAGE = b"<!doctype html><title>TEST-KIOSK</title><h1>kiosk</h1>"
FLAGS = ["--kiosk", "--no-sandbox", "--ozone-platform=x11", "--no-first-run", "--noerrdialogs", "--disable-gpu"]
KEYS = ("ctrl+t", "ctrl+n", "alt+Home")


class Kiosk(http.server.BaseHTTPRequestHandler):
    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(PAGE)))
        self.end_headers()
        self.wfile.write(PAGE)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def pages() -> int:
    return Kiosk.asked.count("/")


def shown() -> bool:
    """Whether a window shows the kiosk's page."""
    search = ["xdotool", "search", "--onlyvisible", "--name", "TEST-KIOSK"]
    return subprocess.run(search, check=False, capture_output=True).returncode == 0


def pressed(key: str) -> int:
    """Press it; how many pages were asked for within ten seconds."""
    before = pages()
    subprocess.run(["xdotool", "key", key], check=True)
    until = time.monotonic() + 10
    while pages() == before and time.monotonic() < until:
        time.sleep(0.1)
    time.sleep(0.5)
    return pages() - before


def main() -> None:
    port, profile = int(sys.argv[1]), Path(sys.argv[2])
    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Kiosk)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    command = ["chromium", *FLAGS, f"--user-data-dir={profile}", f"http://127.0.0.1:{port}/"]
    browser = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        while not pages():
            time.sleep(0.1)
        while not shown():
            time.sleep(0.1)
        time.sleep(1)
        sys.stdout.write(json.dumps({key: pressed(key) for key in KEYS}))
    finally:
        browser.terminate()
        browser.wait(30)


main()
