"""A private pcscd with vpcd for the virtual card: for the demo, training and CI; never on a kiosk.

It has its own mount namespace, so that it lives beside any other pcscd (docs/sources.md#pcsc-service). vpcd listens on
every address, hence "never". Needs root, pcscd and vsmartcard-vpcd.
"""

from __future__ import annotations

import shlex
import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType

from device.child_process import ends_with_this_process
from device.errors import CardServiceDown
from device.loopback import free_ports

SOCKET_VARIABLE = "PCSCLITE_CSOCK_NAME"
VPCD_DRIVER = Path("/usr/lib/pcsc/drivers/serial/libifdvpcd.so")
_PCSCD = "/usr/sbin/pcscd"
_PUBLIC = Path("/run/pcscd")
_MAX_SOCKET_NAME = 107
_START_SECONDS = 30.0
_STOP_SECONDS = 5.0
_ANY_ADDRESS = "0.0.0.0"  # noqa: S104 - vpcd listens there and cannot be told another
_READER_CONF = """FRIENDLYNAME "Virtual PCD"
DEVICENAME   /dev/null:0x{port:X}
LIBPATH      {driver}
CHANNELID    0x{port:X}
"""


class PcscService:
    """pcscd + vpcd in ``folder``. ``environment`` is what a client needs; ``port`` is where the card connects."""

    def __init__(self, folder: Path) -> None:
        """Raises ValueError when the folder's name is too long for a unix socket below it."""
        self._run = folder / "run"
        self._conf = folder / "reader.conf.d"
        self._log = folder / "pcscd.log"
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0
        if len(str(self.socket)) > _MAX_SOCKET_NAME:
            raise ValueError("the folder's name is too long for a unix socket")

    @property
    def socket(self) -> Path:
        """pcscd's unix socket."""
        return self._run / "pcscd.comm"

    @property
    def environment(self) -> dict[str, str]:
        """What to add to the environment of every process that shall use this pcscd."""
        return {SOCKET_VARIABLE: str(self.socket)}

    @property
    def alive(self) -> bool:
        """Whether pcscd runs."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start and wait until socket and vpcd answer. Raises CardServiceDown (facts: reason) when they never do."""
        if self.alive:
            return
        self.port = self.port or free_ports(2, _ANY_ADDRESS)[0]  # vpcd takes two, one a slot
        for folder in (self._run, self._conf, _PUBLIC):
            folder.mkdir(parents=True, exist_ok=True)
        self.socket.unlink(missing_ok=True)
        (self._conf / "vpcd").write_text(_READER_CONF.format(port=self.port, driver=VPCD_DRIVER))
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - fixed programs; the paths are quoted
                ends_with_this_process(["/usr/bin/unshare", "-m", "/bin/sh", "-c", self._script()]),
                stdout=log,
                stderr=log,
            )
        try:
            self._wait()
        except CardServiceDown:
            self.stop()
            raise

    def stop(self) -> None:
        """End pcscd, by its own pid, and wait for it. Safe to repeat."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def __enter__(self) -> PcscService:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.stop()

    def _script(self) -> str:
        """Every step execs, so that the pid we hold is pcscd's own."""
        polkit = " --disable-polkit" if _knows("--disable-polkit") else ""
        mount = f"mount --bind {shlex.quote(str(self._run))} {_PUBLIC}"
        return f"{mount} && exec {_PCSCD} --foreground{polkit} --config {shlex.quote(str(self._conf))}"

    def _wait(self) -> None:
        until = time.monotonic() + _START_SECONDS
        while time.monotonic() < until:
            if not self.alive:
                raise CardServiceDown(reason="pcscd ended at once", log=self._log.name)
            if _accepts(self.socket) and _listening(self.port):
                return
            time.sleep(0.01)
        raise CardServiceDown(reason="pcscd does not answer", log=self._log.name)


def _knows(option: str) -> bool:
    """Whether this pcscd has ``option``; the polkit switch came after Debian 12."""
    told = subprocess.run([_PCSCD, "--help"], capture_output=True, text=True, check=False)  # noqa: S603 - fixed program
    return option in told.stdout + told.stderr


def _accepts(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        return client.connect_ex(str(path)) == 0


def _listening(port: int) -> bool:
    """Told by the kernel's table: connecting to see would insert a card for a moment."""
    rows = [line.split() for name in ("tcp", "tcp6") for line in Path(f"/proc/net/{name}").read_text().splitlines()[1:]]
    return any(row[1].endswith(f":{port:04X}") and row[3] == "0A" for row in rows)
