"""A headless Chromium as one phone's browser, run inside its namespace: ``python phone_browser.py CERTIFICATE OUT``.

It opens the phone's own check, is led to the portal, changes the language, logs in by one tap and asks its check again.
Prints what it saw as JSON and leaves pictures in OUT.
"""

from __future__ import annotations

import base64
import hashlib
import json
import sys
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from playwright.sync_api import sync_playwright

CHECK = "http://captive.apple.com/hotspot-detect.html"


def main() -> None:
    certificate, out = x509.load_pem_x509_certificate(Path(sys.argv[1]).read_bytes()), Path(sys.argv[2])
    key = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    trusted = base64.b64encode(hashlib.sha256(key).digest()).decode()
    seen: dict[str, object] = {}
    plain = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=[*plain, f"--ignore-certificate-errors-spki-list={trusted}"]
        )
        page = browser.new_page(viewport={"width": 390, "height": 844}, locale="ja-JP")
        page.goto(CHECK)
        seen["led_to"], seen["first"] = page.url, page.get_attribute("body", "data-page")
        page.screenshot(path=out / "welcome.png", full_page=True)
        page.select_option("select[name=lang]", "vi")
        page.wait_for_selector("html[lang=vi]")
        page.locator("[data-action=login] button").first.click()
        page.wait_for_selector("body[data-page=online]")
        seen["online_in"] = page.get_attribute("html", "lang")
        page.screenshot(path=out / "online.png", full_page=True)
        page.goto(CHECK)
        seen["after"] = page.title()
        browser.close()
    sys.stdout.write(json.dumps(seen))


if __name__ == "__main__":
    main()
