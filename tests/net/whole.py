"""The whole Wi-Fi as a city runs it: gate, portal, nginx and dnsmasq as processes of their own, started by the
commands of the units, in a gateway's namespace; phones with a DHCP client; an Internet that answers every name.
"""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from contextlib import ExitStack, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from captive_portal.portal.probes import find_probe
from tests.fixtures.mail_server import PASSWORD, USER, MailServer
from tests.fixtures.tls import write_test_credential
from tests.net.topology import in_namespace, until

BRIDGE_MAC = "02:00:5e:10:00:01"
"""Set, as systemd-networkd sets one: a bridge without takes the lowest of its ports', and changes it when one joins."""
ROOT = Path(__file__).resolve().parents[2]
HIROBA = [sys.executable, "-m", "provisioning"]
PORTAL = "wifi.example.jp"
FAR = "198.19.0.80"
"""Where every name of this Internet is, but for those below TUNNEL: whoever listens at TUNNEL_PORT is asked them."""
TUNNEL, TUNNEL_PORT = "t.tunnel.example", 5300

SITE = """
[box]
name = "TEST-plaza-1"
[city]
name_ja = "試験市"
name_en = "TEST City"
telephone = "06-0000-0000"
[wifi.gate]
sample_seconds = 0.5
[wifi.stats]
collect_seconds = 0.5
[wifi.portal]
name = "wifi.example.jp"
tls_certificate = "test-cert.pem"
tls_key = "test-key.pem"
[wifi.smtp]
host = "localhost"
port = {mail}
ca_file = "test-cert.pem"
user = "{user}"
password_file = "password"
[[wifi.spots]]
name = "hall"
title_ja = "市民ホール"
title_en = "Civic Hall"
interface = "br-lan"
uplink = "up0"
ipv4 = {{ gateway = "10.90.0.1", prefix = 22 }}
dhcp = {{ first = "10.90.0.10", last = "10.90.3.250", lease_seconds = 1800 }}
login = ["one_tap", "email_code", "voucher"]
limits = {{ minutes_per_visit = 30, quota_mib = 500, devices = 3 }}
dns = ["198.18.0.1"]
"""
IPV6 = 'ipv6 = {{ mode = "masquerade", network = "fd00:90::/64", gateway = "fd00:90::1" }}\ndhcp'
SITE6 = SITE.replace("dhcp", IPV6, 1)
"""The same plaza with IPv6."""
DHCLIENT = """
option captive-portal code 114 = text;
request subnet-mask, routers, domain-name-servers, captive-portal;
timeout 20;
initial-interval 1;
"""
LEASED = """#!/bin/sh
[ "$reason" = PREINIT ] && ip link set "$interface" up
[ -n "$new_ip_address" ] || exit 0
ip address replace "$new_ip_address/22" dev "$interface"
ip route replace default via "$new_routers"
printf '%s %s %s %s' "$new_ip_address" "$new_routers" "$new_domain_name_servers" "$new_captive_portal" > "$LEASE.new"
mv "$LEASE.new" "$LEASE"
"""


class _Far(BaseHTTPRequestHandler):
    """What the Internet's own servers answer: the vendors' real words to their probes, else "the far side"."""

    def do_GET(self) -> None:
        probe = find_probe(self.headers.get("Host", ""), self.path.partition("?")[0])
        status, body = (probe.online_status, probe.online_body) if probe else (200, "the far side")
        self.send_response(status)
        if self.headers.get("Host", "").startswith("nmcheck"):
            self.send_header("X-NetworkManager-Status", "online")
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if status != 204:
            self.wfile.write(body.encode())

    def log_message(self, *_: object) -> None:
        """Nothing."""


class Phone:
    """A phone: a namespace, an Ethernet plug in the plaza's bridge, a DHCP client."""

    def __init__(self, space: str, mac: str, folder: Path, trust: Path) -> None:
        self.space, self.mac, self.folder, self.trust = space, mac, folder, trust
        self.ip = self.router = self.resolver = self.announced = ""
        self._client: subprocess.Popen[bytes] | None = None

    def lease(self) -> None:
        """Ask for an address as Debian's dhclient does, and take it."""
        self.release()
        lease = self.folder / "lease"
        lease.unlink(missing_ok=True)
        (self.folder / "dhclient.conf").write_text(DHCLIENT)
        script = self.folder / "leased.sh"
        script.write_text(LEASED)
        script.chmod(0o755)
        where = ["-lf", str(self.folder / "leases"), "-pf", str(self.folder / "pid"), "-sf", str(script)]
        (self.folder / "leases").write_text("")
        told = ["-4", "-d", "-cf", str(self.folder / "dhclient.conf"), *where, "-e", f"LEASE={lease}", "eth0"]
        command = ["ip", "netns", "exec", self.space, "dhclient", *told]
        self._client = subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        until(lease.exists, 30)
        self.ip, self.router, self.resolver, self.announced = lease.read_text().split(" ")

    def release(self) -> None:
        """The DHCP client ends; the address goes."""
        if self._client is not None:
            self._client.kill()
            self._client.wait(10)
            self._client = None
            _ip(f"-n {self.space} address flush dev eth0 scope global")

    def new_mac(self, mac: str) -> None:
        """The phone makes up another MAC, and asks for another address with it."""
        self.release()
        _ip(f"-n {self.space} link set eth0 down")
        _ip(f"-n {self.space} link set eth0 address {mac}")
        _ip(f"-n {self.space} link set eth0 up")
        self.mac = mac
        self.lease()

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """A program on this phone."""
        return subprocess.run(["ip", "netns", "exec", self.space, *words], check=False, capture_output=True, text=True)

    def curl(self, *words: str) -> tuple[int, str]:
        """(curl's exit code, what it printed); the portal's TEST credential is trusted."""
        done = self.run("curl", "-s", "--cacert", str(self.trust), "--max-time", "10", *words)
        return done.returncode, done.stdout

    def visit(self, url: str, **form: str) -> str:
        """The page at ``url``, redirects followed; with ``form`` it is posted."""
        data = [part for name, value in form.items() for part in ("--data-urlencode", f"{name}={value}")]
        code, page = self.curl("-L", *data, url)
        assert code == 0, (code, url)
        return page

    def probe(self, url: str = "http://captive.apple.com/hotspot-detect.html") -> tuple[str, str]:
        """(status, body or redirect) of one vendor's check, on a connection of its own."""
        code, told = self.curl("-w", "\n%{http_code} %{redirect_url}", url)
        body, _, status = told.rpartition("\n")
        return (f"curl {code}", "") if code else (status.partition(" ")[0], status.partition(" ")[2] or body)

    def passes(self) -> bool:
        """Does the Internet answer this phone's check by itself?"""
        return "Success" in self.probe()[1]

    def log_in(self, method: str = "one_tap", **more: str) -> str:
        """From the probe to the answer of the log-in form."""
        page = self.visit("http://captive.apple.com/hotspot-detect.html")
        assert 'data-page="welcome"' in page or 'data-page="ended"' in page, page[:300]
        return self.visit(f"https://{PORTAL}/login?lang=en", token=token_of(page), method=method, **more)


class Whole:
    """Everything. ``build`` once; phones by ``phone``."""

    def __init__(self, folder: Path, site: str = SITE) -> None:
        self.folder, self.state, self.stack, self._site = folder, folder / "state", ExitStack(), site
        self.tag = f"hw{os.getpid():x}{os.urandom(2).hex()}"
        self.gateway, self.internet = f"{self.tag}g", f"{self.tag}i"
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        self._phones = 0

    def build(self) -> None:
        self.state.mkdir()
        self.folder.chmod(0o755)
        for space in (self.gateway, self.internet):
            self._namespace(space)
        self._wires()
        self.trust, _ = write_test_credential(self.state, PORTAL)
        ear = in_namespace(self.gateway, lambda: socket.create_server(("127.0.0.1", 0)))
        self.mail = MailServer((self.trust, self.state / "test-key.pem"), ear)
        self.stack.callback(self.mail.close)
        (self.state / "password").write_text(PASSWORD)
        (self.folder / "site.toml").write_text(self._site.format(mail=self.mail.port, user=USER), "utf-8")
        self._far_side()
        self.hiroba("site", "render", "--out", str(self.folder / "rendered"))
        rendered = str(self.folder / "rendered" / "dnsmasq-hall.conf")
        self.start("dnsmasq", self.gateway, "dnsmasq", "-k", "--user=root", "--pid-file=", "-C", rendered)
        self.start_hiroba("gate")
        self.start_hiroba("nginx")
        self.start_hiroba("portal")

    def _namespace(self, space: str) -> None:
        _ip(f"netns add {space}")
        self.stack.callback(_ip, f"netns delete {space}")
        _ip(f"-n {space} link set lo up")

    def _wires(self) -> None:
        g, i = f"-n {self.gateway}", f"-n {self.internet}"
        for words in (
            f"{g} link add br-lan address {BRIDGE_MAC} type bridge", f"{g} link set br-lan up",
            f"{g} address add 10.90.0.1/22 dev br-lan",
            f"{g} link add up0 type veth peer name far0 netns {self.internet}", f"{g} link set up0 up",
            f"{g} address add 198.18.0.2/24 dev up0", f"{g} route add default via 198.18.0.1",
            f"{i} link set far0 up", f"{i} address add 198.18.0.1/24 dev far0",
            f"{i} route add local 198.19.0.0/16 dev lo",
        ):  # fmt: skip
            _ip(words)
        if self._site == SITE6:
            _ip(f"{g} address add fd00:90::1/64 dev br-lan nodad")

    def _far_side(self) -> None:
        server = ThreadingHTTPServer(("", 0), _Far, bind_and_activate=False)
        server.socket.close()
        server.socket = in_namespace(self.internet, lambda: socket.create_server(("", 80), backlog=500))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.stack.callback(server.server_close)
        self.stack.callback(server.shutdown)
        names = ["--no-resolv", "--no-hosts", "--address=/#/198.19.0.80", "--listen-address=198.18.0.1"]
        names.append(f"--server=/{TUNNEL}/198.18.0.1#{TUNNEL_PORT}")
        plain = ["-k", "-C", "/dev/null", "--user=root", "--pid-file=", "--bind-interfaces"]
        self.start("names", self.internet, "dnsmasq", *plain, *names)

    # -- processes --

    def start(self, name: str, space: str, *command: str) -> None:
        """Start a process of its own group in a namespace."""
        with (self.folder / f"{name}.log").open("ab") as log:
            self.running[name] = subprocess.Popen(
                ["ip", "netns", "exec", space, *command], stdout=log, stderr=log, cwd=ROOT, start_new_session=True
            )

    def start_hiroba(self, name: str) -> None:
        """``hiroba run NAME``, until it answers."""
        self.start(name, self.gateway, *HIROBA, "run", name, *self.where)
        answers = {"gate": self.answers, "portal": self.portal_answers, "nginx": self.nginx_answers}
        until(answers.get(name, lambda: True), 40)

    def answers(self) -> bool:
        """Does the gate answer staff?"""
        return self._hiroba("wifi", "online", "--json").returncode == 0

    def nginx_answers(self) -> bool:
        """Does nginx answer, with whatever it has?"""
        command = ["ip", "netns", "exec", self.gateway, "curl", "-s", "-o", "/dev/null", "http://10.90.0.1:8180/"]
        return subprocess.run(command, check=False).returncode == 0

    def portal_answers(self) -> bool:
        """Does the portal answer, seen from the box itself?"""
        command = ["ip", "netns", "exec", self.gateway, "curl", "-sf", "-o", "/dev/null", "http://10.90.0.1:8180/terms"]
        return subprocess.run(command, check=False).returncode == 0

    def uplink(self, state: str) -> None:
        """Pull the uplink's plug ("down"), or put it back ("up")."""
        _ip(f"-n {self.gateway} link set up0 {state}")
        if state == "up":
            _ip(f"-n {self.gateway} route replace default via 198.18.0.1")

    def kill(self, name: str) -> None:
        """SIGKILL, to the process and all its workers."""
        process = self.running.pop(name)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)

    @property
    def where(self) -> list[str]:
        """The options every command takes."""
        return ["--config", str(self.folder / "site.toml"), "--state", str(self.state)]

    def _hiroba(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*HIROBA, *words, *self.where], check=False, capture_output=True, text=True, cwd=ROOT)

    def hiroba(self, *words: str) -> str:
        """A staff command that must succeed; what it printed."""
        done = self._hiroba(*words)
        assert done.returncode == 0, (words, done.stdout, done.stderr)
        return done.stdout

    def online(self) -> list[dict[str, Any]]:
        """``hiroba wifi online``, addresses shown."""
        told: list[dict[str, Any]] = json.loads(self.hiroba("wifi", "online", "--mac", "--json"))
        return told

    def doctor(self) -> list[dict[str, Any]]:
        """What ``hiroba doctor`` found, in the gateway."""
        command = ["ip", "netns", "exec", self.gateway, *HIROBA, "doctor", "--json", *self.where]
        told = subprocess.run(command, check=False, capture_output=True, text=True, cwd=ROOT).stdout
        found: list[dict[str, Any]] = json.loads(told)
        return found

    # -- phones --

    def plug(self, mac: str) -> str:
        """A namespace with eth0 in the plaza's bridge."""
        self._phones += 1
        space, port = f"{self.tag}p{self._phones}", f"p{self._phones}"
        self._namespace(space)
        _ip(f"-n {self.gateway} link add {port} type veth peer name eth0 netns {space} address {mac}")
        _ip(f"-n {self.gateway} link set {port} master br-lan up")
        _ip(f"-n {space} link set eth0 up")
        names = Path(f"/etc/netns/{space}")
        names.mkdir(parents=True)
        (names / "resolv.conf").write_text("nameserver 10.90.0.1\n")
        self.stack.callback(names.rmdir)
        self.stack.callback((names / "resolv.conf").unlink)
        return space

    def phone(self) -> Phone:
        """A phone with a lease of its own."""
        mac = f"02:00:5e:20:00:{self._phones + 1:02x}"
        folder = self.folder / f"phone{self._phones + 1}"
        folder.mkdir()
        made = Phone(self.plug(mac), mac, folder, self.trust)
        self.stack.callback(made.release)
        made.lease()
        return made

    def close(self) -> None:
        """Stop everything that was started and take the namespaces down."""
        for process in self.running.values():
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
        for process in self.running.values():
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait(10)
        self.stack.close()


def token_of(page: str) -> str:
    """The form token of a page."""
    found = re.search(r'name="token" value="([0-9]+\.[0-9a-f]{64})"', page)
    assert found, page[:300]
    return found[1]


def page_of(page: str) -> str:
    """The page's name, data-page."""
    found = re.search(r'data-page="([a-z]+)"', page)
    return found[1] if found else ""


def _ip(words: str) -> None:
    subprocess.run(["ip", *words.split()], check=True, capture_output=True)
