"""A keyboard that a visitor brings, where the site file lets keyboards in: its shortcuts leave no dead page behind."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from provisioning.box.render.browser import browser_policy

ROOT = Path(__file__).parents[2]
PROGRAM = Path(__file__).with_name("keyboard.py")
PORT = 8100


@pytest.mark.needs("root", "chromium", "xvfb", "xdotool", "ip")
def test_a_new_tab_a_new_window_and_the_home_key_show_the_kiosk_again(tmp_path: Path) -> None:
    shipped = (ROOT / "systemd/chromium/hiroba.json").read_text("utf-8")
    managed = tmp_path / "policies/managed"
    managed.mkdir(parents=True)
    (managed / "hiroba.json").write_text(browser_policy(shipped, PORT), "utf-8")
    program = shlex.join([sys.executable, str(PROGRAM), str(PORT), str(tmp_path / "profile")])
    inside = f"""ip link set lo up && mkdir -p /etc/chromium/policies &&
mount --bind {tmp_path}/policies /etc/chromium/policies && exec xvfb-run --auto-servernum {program}"""
    # A network and a view of /etc of its own: this machine's Chromium is not touched.
    done = subprocess.run(
        ["unshare", "--mount", "--net", "sh", "-c", inside], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert json.loads(done.stdout) == {"ctrl+t": 1, "ctrl+n": 1, "alt+Home": 1}
