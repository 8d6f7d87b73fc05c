"""``hiroba run stats`` as a unit starts it: collects from the gate's socket, serves the page, ends when told."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from device.loopback import free_ports
from tests.captive_portal.gate.served import served
from tests.provisioning.wifi_box import make_box


def _page(port: int, process: subprocess.Popen[bytes]) -> str:
    """The page once the process serves it; the suite's own time-out bounds the waiting."""
    while process.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/?lang=en", timeout=5) as answer:  # loopback
                text: str = answer.read().decode()
        except OSError:
            text = ""
        if "<dt>Sessions</dt><dd>1</dd>" in text:
            return text
        time.sleep(0.1)
    raise AssertionError(process.returncode)


def test_a_visit_stands_on_the_page_and_sigterm_ends_it(tmp_path: Path) -> None:
    box, port = make_box(tmp_path), free_ports(1)[0]
    extra = f"\n[wifi.stats]\nport = {port}\ncollect_seconds = 0.2\n"
    box.config.write_text(box.config.read_text("utf-8") + extra, "utf-8")
    command = [
        sys.executable,
        "-m",
        "provisioning",
        "run",
        "stats",
        "--config",
        str(box.config),
        "--state",
        str(box.state),
    ]
    with served(box.gate, box.socket), (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            box.log_in(1)
            assert "Civic Hall" in _page(port, process)
            process.send_signal(signal.SIGTERM)
            assert process.wait(20) == 0
        finally:
            process.kill()
            process.wait()
    assert "02:00:5e" not in (tmp_path / "log").read_text("utf-8")
