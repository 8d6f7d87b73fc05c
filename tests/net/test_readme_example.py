"""The complete example of captive_portal/README.md works as it is written."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.needs("root", "nft", "ip", "nginx", "dnsmasq", "curl", "openssl", "dhclient")
SAID = [
    "check: 302 to https://wifi.example.jp/?d=apple",
    '"captive":true',
    'data-page="online"',
    "the far side",
    '"captive":false',
    "after the end: 302",
    "in a disaster: 200",
    "after it: 302",
]


def test_the_readmes_own_lines_take_a_phone_online_and_off_again(tmp_path: Path) -> None:
    text = (ROOT / "captive_portal" / "README.md").read_text("utf-8")
    blocks = re.findall(r"^```sh\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    tmp_path.chmod(0o755)
    name = f"hx{os.getpid():x}"
    where = {"N": name, "W": str(tmp_path / "w"), "HIROBA": f"{sys.executable} -m provisioning"}
    script = "set -eu\n" + "".join(blocks[:-1])
    shell = ["bash", "-c", f"trap 'set +e\n{blocks[-1]}' EXIT\n{script}"]
    done = subprocess.run(
        shell, check=False, capture_output=True, text=True, timeout=120, cwd=ROOT, env={**os.environ, **where}
    )
    said = [line for line in done.stdout.splitlines() if any(piece in line for piece in SAID)]
    assert done.returncode == 0, done.stdout + done.stderr
    assert [piece for piece, line in zip(SAID, said, strict=False) if piece not in line] == []
    assert len(said) == len(SAID)
    assert name not in subprocess.run(["ip", "netns"], check=True, capture_output=True, text=True).stdout
