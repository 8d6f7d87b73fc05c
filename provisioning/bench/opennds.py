"""Debian's openNDS as the peer, in a gateway's namespace, without being installed on this machine.

Its packages are fetched by apt and unpacked under the bench's folder; a private mount namespace lays them over /usr
and /etc, so its edits of /etc/hosts and /etc/dnsmasq.conf, its files in /tmp and its firewall rules end with it. Two
small programs stand before it on PATH (docs/sources.md#opennds): ``nft`` drops the four calls after which
iptables 1.8.9 refuses to go on, ``systemctl`` says yes.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path

from device.errors import HirobaError
from provisioning.bench.figures import milliseconds
from provisioning.bench.network_lab import NetworkLab, in_namespace, leases
from provisioning.bench.processes import pss_mib, stop
from provisioning.demo.processes import listens

PORT = 2050
PACKAGES = ("opennds-daemon", "opennds-daemon-common", "libmicrohttpd12", "iptables", "libip4tc2", "libip6tc2")
START_SECONDS = 40.0
CONFIG = f"""
GatewayInterface br-lan
GatewayPort {PORT}
GatewayName bench
MaxClients 1000
login_option_enabled 1
FirewallRuleSet authenticated-users {{
    FirewallRule allow all
}}
FirewallRuleSet users-to-router {{
    FirewallRule allow udp port 53
    FirewallRule allow tcp port 53
    FirewallRule allow udp port 67
}}
"""
_NFT_SHIM = """#!/bin/sh
case "$*" in
"rename chain ip filter INPUT INPUT_LEGACY" | "rename chain ip filter FORWARD FORWARD_LEGACY") exit 0 ;;
"add chain ip filter INPUT "* | "add chain ip filter FORWARD "*) exit 0 ;;
esac
exec {nft} "$@"
"""
_IPTABLES_SHIM = """#!/bin/sh
exec /usr/sbin/xtables-nft-multi {name} "$@"
"""
_LAUNCH = """set -e
mount -t overlay overlay -o lowerdir={here}/tree/usr:/usr /usr
mount -t overlay overlay -o lowerdir={here}/tree/etc:/etc,upperdir={here}/upper,workdir={here}/work /etc
cp {here}/opennds.conf /etc/opennds/opennds.conf
mount -t tmpfs tmpfs /run
leases=$(cat {here}/leases)
mount -t tmpfs tmpfs /tmp
printf '%s\\n' "$leases" > /tmp/dhcp.leases
export PATH={shim}:/usr/sbin:/usr/bin:/sbin:/bin
exec /usr/bin/opennds -f
"""
_ROUTE = """
add table ip bench
add chain ip bench leave { type nat hook postrouting priority srcnat; }
add rule ip bench leave oifname "up0" masquerade
"""


class PeerCanNotRun(HirobaError):
    """openNDS does not run on this machine. facts: reason."""

    code = "bench.peer_can_not_run"


class OpenNds:
    """The running peer; it stops when the block is left. Raises PeerCanNotRun on entering."""

    def __init__(self, lab: NetworkLab, folder: Path, leased: int) -> None:
        self.lab = lab
        self._folder = folder
        self._leased = leased
        self._shim = Path("/dev/shm") / f"hiroba-bench-{os.getpid()}"  # noqa: S108 - must stay visible beside its own /tmp
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> OpenNds:
        try:
            self._unpack()
            self._write()
            self._launch()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            stop([self._process])
        shutil.rmtree(self._shim, ignore_errors=True)

    def _unpack(self) -> None:
        packages = self._folder / "packages"
        packages.mkdir(parents=True)
        got = subprocess.run(["apt-get", "download", *PACKAGES], check=False, cwd=packages, capture_output=True)
        if got.returncode:
            raise PeerCanNotRun(reason="its packages could not be fetched")
        for package in sorted(packages.glob("*.deb")):
            subprocess.run(["dpkg-deb", "-x", str(package), str(self._folder / "tree")], check=True)

    def _write(self) -> None:
        for name in ("upper", "work"):
            (self._folder / name).mkdir()
        self._shim.mkdir(mode=0o755)
        programs = {name: _IPTABLES_SHIM.format(name=name) for name in ("iptables", "ip6tables")}
        programs |= {"nft": _NFT_SHIM.format(nft=shutil.which("nft")), "systemctl": "#!/bin/sh\nexit 0\n"}
        for name, text in programs.items():
            (self._shim / name).write_text(text)
            (self._shim / name).chmod(0o755)
        (self._folder / "opennds.conf").write_text(CONFIG)
        (self._folder / "leases").write_text(leases(range(self._leased)))
        (self._folder / "launch.sh").write_text(_LAUNCH.format(here=self._folder, shim=self._shim))

    def _launch(self) -> None:
        space = ["ip", "netns", "exec", self.lab.gateway]
        subprocess.run([*space, "nft", "-f", "-"], input=_ROUTE, text=True, check=True)
        subprocess.run([*space, "sysctl", "-qw", "net.ipv4.ip_forward=1"], check=True)
        with (self._folder / "log").open("wb") as log:
            command = [*space, "unshare", "-m", "--propagation", "private", "sh", str(self._folder / "launch.sh")]
            self._process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        deadline = time.monotonic() + START_SECONDS
        while not self._listens():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise PeerCanNotRun(reason=self._last_words())
            time.sleep(0.1)
        time.sleep(1.0)  # it listens a moment before its rules stand

    def _listens(self) -> bool:
        return in_namespace(self.lab.gateway, lambda: listens("10.90.0.1", PORT))

    def _last_words(self) -> str:
        lines = [line for line in (self._folder / "log").read_text("utf-8", "replace").splitlines() if line.strip()]
        return (lines[-1] if lines else "it said nothing")[:200]

    def ask(self, *words: str) -> str:
        """ndsctl, in the peer's own mount namespace. Raises CalledProcessError, TimeoutExpired."""
        if self._process is None:
            raise PeerCanNotRun(reason="not started")
        inside = ["nsenter", "-t", str(self._process.pid), "-m", "-n", "ndsctl", *words]
        return subprocess.run(inside, check=True, capture_output=True, text=True, timeout=120).stdout

    def list_ms(self) -> float:
        """One listing of everyone it knows."""
        return milliseconds(lambda: self.ask("json"))

    def pss(self) -> float:
        """MiB of the daemon and its children."""
        return pss_mib([self._process.pid]) if self._process else 0.0
