"""Debian's NetworkManager as one phone's system: its own message bus, its own folders, nothing of the machine's.

It is unpacked, not installed. It runs in the phone's network namespace and in a mount namespace of its own, where /sys
is read-only (then it does not wait for udev) and where its run and state folders lie in ours.
"""

from __future__ import annotations

import subprocess
import tempfile
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

from tests.net.topology import until
from tests.net.unpacked import unpacked

BUS = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>system</type><listen>unix:path={folder}/bus</listen><auth>EXTERNAL</auth>
<policy context="default"><allow own="*"/><allow send_destination="*"/><allow receive_sender="*"/><allow user="*"/>
</policy></busconfig>
"""
SETTINGS = """[main]
plugins=keyfile
dhcp=internal
dns=none
auth-polkit=false
[keyfile]
path={folder}/connections
[connectivity]
uri=http://nmcheck.gnome.org/check_network_status.txt
[device-phone]
match-device=interface-name:eth0
managed=1
"""
CONNECTION = """[connection]
id=plaza
uuid=00000000-0000-4000-8000-000000000001
type=ethernet
interface-name=eth0
[ipv4]
method=auto
[ipv6]
method=disabled
"""
ENTER = (
    "mkdir -p {folder}/run {folder}/lib /var/lib/NetworkManager;"
    " mkdir -p /run/NetworkManager; mount --bind {folder}/run /run/NetworkManager;"
    ' mount --bind {folder}/lib /var/lib/NetworkManager; mount -o remount,ro /sys; exec "$@"'
)


class NetworkManager:
    """Started for the time of the ``with`` block, in the namespace ``space``."""

    def __init__(self, space: str) -> None:
        self._space = space
        self._debian = unpacked("network-manager")
        self._stack = ExitStack()

    def __enter__(self) -> NetworkManager:
        self._folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="hnm")))
        connection = self._folder / "connections" / "plaza.nmconnection"
        connection.parent.mkdir(mode=0o700)
        for path, text in (("bus.conf", BUS), ("nm.conf", SETTINGS), (connection, CONNECTION)):
            (self._folder / path).write_text(text.format(folder=self._folder))
            (self._folder / path).chmod(0o600)
        self._start(
            self._debian.program("dbus-daemon"), f"--config-file={self._folder}/bus.conf", "--nofork", "--nopidfile"
        )
        until((self._folder / "bus").exists)
        files = [f"--{name}={self._folder}/{name}" for name in ("pid-file", "state-file")]
        options = ["--debug", f"--config={self._folder}/nm.conf", "--config-dir=/nonexistent", *files]
        apart = ["unshare", "-m", "--propagation", "private", "sh", "-c", ENTER.format(folder=self._folder), "sh"]
        self._start("ip", "netns", "exec", self._space, *apart, self._debian.program("NetworkManager"), *options)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._stack.close()

    def _start(self, *command: str) -> None:
        with (self._folder / "log").open("ab") as log:
            process = subprocess.Popen(command, env=self._environment, stdout=log, stderr=log)
        self._stack.callback(process.wait, 20)
        self._stack.callback(process.terminate)

    @property
    def _environment(self) -> dict[str, str]:
        return {
            **self._debian.environment,
            "DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={self._folder}/bus",
            "LC_ALL": "C.UTF-8",
        }

    def ask(self, *words: str) -> str:
        """What nmcli says."""
        command = ["ip", "netns", "exec", self._space, self._debian.program("nmcli"), *words]
        done = subprocess.run(command, env=self._environment, check=False, capture_output=True, text=True, timeout=60)
        return done.stdout.strip()
