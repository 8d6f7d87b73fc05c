"""A box with Wi-Fi in a temporary folder: site file, state, and a gate that a test holds in its hands."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

from click.testing import CliRunner, Result

from captive_portal.gate.memory import MemoryGate
from captive_portal.gate.protocol import Open, Opened
from device.clock import SystemClock
from device.errors import HirobaError
from provisioning.cli import hiroba
from provisioning.site.reading import read_site

FIXTURE = Path(__file__).parents[1] / "fixtures" / "render" / "plain" / "site.toml"


@dataclass
class WifiBox:
    """config and state as the commands take them; gate: to be served at ``socket``."""

    config: Path
    state: Path
    gate: MemoryGate

    @property
    def socket(self) -> Path:
        """Where the commands look for the gate."""
        return self.state / "gate" / "gate.sock"

    def run(self, *words: str, typed: str = "", ok: bool = True) -> Result:
        """``hiroba words…`` on this box. With ``ok`` the command must succeed."""
        where = ["--config", str(self.config), "--state", str(self.state)]
        result = CliRunner().invoke(hiroba, [*words, *where], input=typed)
        assert not ok or result.exit_code == 0, (result.output, result.exception)
        return result

    def fails(self, *words: str) -> HirobaError:
        """The error that ``hiroba words…`` ends with."""
        result = self.run(*words, ok=False)
        assert isinstance(result.exception, HirobaError), (result.output, result.exception)
        return result.exception

    def log_in(self, number: int) -> Opened:
        """Phone ``number`` arrives with its own MAC and is let through by one tap."""
        ip = f"10.90.0.{10 + number}"
        self.gate.arrive(ip, f"02:00:5e:10:00:{number:02x}")
        opened = self.gate.open(Open(ip=ip, method="one_tap", language="ja", device="apple"))
        assert isinstance(opened, Opened)
        return opened


def make_box(folder: Path, login: list[str] | None = None) -> WifiBox:
    """A box of the plain fixture, with the ``login`` methods of its spot."""
    config = folder / "site.toml"
    shutil.copy(FIXTURE, config)
    if login:
        config.write_text(f"{config.read_text('utf-8')}\nlogin = {json.dumps(login)}\n", "utf-8")
    wifi = read_site(config).wifi
    assert wifi is not None
    return WifiBox(config, folder / "state", MemoryGate(wifi, SystemClock()))
