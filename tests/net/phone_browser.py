"""A headless Chromium as one phone's browser, run inside its namespace:
``python phone_browser.py CERTIFICATE OUT METHOD [VOUCHER]``.

It opens the phone's own check, is led to the portal, changes the language, logs in, asks its check again, logs out and
asks once more. A mailed code is read from the file ``code`` in OUT as soon as it is there. Prints what it saw as JSON
and leaves pictures in OUT.
"""

from __future__ import annotations

import base64
import hashlib
import json
import sys
import time
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from playwright.sync_api import Page, sync_playwright

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
        log_in(page, out, *sys.argv[3:])
        page.wait_for_selector("body[data-page=online]")
        seen["online_in"] = page.get_attribute("html", "lang")
        page.screenshot(path=out / "online.png", full_page=True)
        page.goto(CHECK)
        seen["after"] = page.title()
        page.goto(str(seen["led_to"]))
        page.click("[data-action=logout] button")
        page.wait_for_selector("body[data-page=ended]")
        page.goto(f"{CHECK}?again")
        seen["at_last"] = page.get_attribute("body", "data-page")
        browser.close()
    sys.stdout.write(json.dumps(seen))


def log_in(page: Page, out: Path, method: str, voucher: str = "") -> None:
    """By one of the forms of the first page."""
    form = page.locator(f"[data-action=login]:has([value={method}])")
    if method == "voucher":
        form.locator("[name=voucher]").fill(voucher)
    if method == "email_code":
        form.locator("[name=address]").fill("visitor@example.jp")
    form.locator("button").click()
    if method == "email_code":
        page.wait_for_selector("[name=code]")
        while not (out / "code").exists():
            time.sleep(0.1)
        page.fill("[name=code]", (out / "code").read_text())
        page.click("[data-action=login] button")


if __name__ == "__main__":
    main()
