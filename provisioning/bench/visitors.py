"""Phones that log in, as a process of its own: ``python -m provisioning.bench.visitors`` reads a LoginLoad as JSON from
standard input and writes a Result as JSON.

A visit is what a phone does: a probe that is redirected, the page, its form (again when another page with a form
follows), until a connection to the Internet is accepted. It knows no portal: it submits the form that logs in, or the
first one.
"""

from __future__ import annotations

import contextlib
import html
import re
import socket
import ssl
import subprocess
import sys
import threading
import time
from urllib.parse import SplitResult, urlencode, urljoin, urlsplit

import msgspec

from provisioning.bench.network_lab import INTERNET_HOST, Phone, enter

PROBE_HOST = "connectivitycheck.gstatic.com"
MAX_FORMS = 4
_FORM = re.compile(r"<form\b([^>]*)>(.*?)</form>", re.IGNORECASE | re.DOTALL)
_INPUT = re.compile(r"<input\b([^>]*)>", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"([\w-]+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)')")
_AGENT = "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Mobile Safari/537.36"


class LoginLoad(msgspec.Struct, frozen=True, kw_only=True):
    """phones: (namespace, number), each logs in once; parallel: at a time; patience: seconds for one answer; portal:
    the address of a portal that is reached by name and TLS, for there is no name server.
    """

    phones: list[tuple[str, int]]
    parallel: int = 1
    patience: float = 20.0
    portal: str = ""


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """times: milliseconds of each visit that came through; elapsed: seconds of them all; why: of those that failed."""

    times: list[float]
    tried: int
    elapsed: float
    why: list[str] = []

    @property
    def per_second(self) -> float:
        """Visits that came through, by the second."""
        return len(self.times) / self.elapsed

    @property
    def success(self) -> float:
        """Share of the visits that came through."""
        return len(self.times) / self.tried


class Form(msgspec.Struct, frozen=True):
    """A form as a browser would send it without typing."""

    action: str
    method: str
    fields: dict[str, str]


class VisitFailed(Exception):
    """The visit did not come through; the message says where it stopped."""


def send(load: LoginLoad) -> Result:
    """Run a load in a process of its own. Raises CalledProcessError."""
    done = subprocess.run(
        [sys.executable, "-m", "provisioning.bench.visitors"],
        input=msgspec.json.encode(load),
        stdout=subprocess.PIPE,
        check=True,
    )
    return msgspec.json.decode(done.stdout, type=Result)


def login_form(page: str, address: str) -> Form | None:
    """The form that logs in, or the first one, or None."""
    forms = [(dict(_attributes(head)), body) for head, body in _FORM.findall(page)]
    if not forms:
        return None
    head, body = next((form for form in forms if form[0].get("data-action") == "login"), forms[0])
    fields = [dict(_attributes(text)) for text in _INPUT.findall(body)]
    return Form(
        urljoin(address, head.get("action", "")),
        head.get("method", "get").lower(),
        {f["name"]: f.get("value", "") for f in fields if "name" in f and f.get("type", "") != "submit"},
    )


def _attributes(text: str) -> list[tuple[str, str]]:
    return [(name.lower(), html.unescape(one or two)) for name, one, two in _ATTRIBUTE.findall(text)]


def visit(patience: float, portal: str = "") -> None:
    """One phone's way to the Internet, in the namespace of this thread. Raises VisitFailed or OSError."""
    address = f"http://{PROBE_HOST}/generate_204"
    answer = _ask(Form(address, "get", {}), patience, INTERNET_HOST)
    moved = re.search(r"\r\nlocation:\s*(\S+)", answer, re.IGNORECASE)
    if not moved:
        raise VisitFailed("the probe was not redirected")
    page = _ask(Form(moved[1], "get", {}), patience, portal)
    address = moved[1]
    for _ in range(MAX_FORMS):
        form = login_form(page, address)
        if form is None:
            break
        page, address = _ask(form, patience, portal), form.action
        if passes():
            return
    raise VisitFailed("the last page led nowhere: " + " ".join(re.sub(r"<[^>]*>", " ", page[-400:]).split())[-120:])


def _ask(form: Form, patience: float, connect_to: str = "") -> str:
    """One request on one connection; the whole answer as text."""
    parts = urlsplit(form.action)
    sent = urlencode(form.fields)
    body = sent if form.method == "post" else ""
    query = "&".join(filter(None, (parts.query if form.method == "post" or not sent else "", sent if not body else "")))
    lines = [
        f"{form.method.upper()} {parts.path or '/'}{'?' + query if query else ''} HTTP/1.1",
        f"Host: {parts.netloc}",
        f"User-Agent: {_AGENT}",
        "Accept: text/html,*/*;q=0.8",
        "Accept-Language: ja,en;q=0.5",
        "Connection: close",
    ]
    if form.method == "post":
        lines += ["Content-Type: application/x-www-form-urlencoded", f"Content-Length: {len(body)}"]
    with _connected(urlsplit(form.action), connect_to, patience) as connection:
        connection.sendall(("\r\n".join(lines) + "\r\n\r\n" + body).encode())
        pieces = []
        while piece := connection.recv(65536):
            pieces.append(piece)
    return b"".join(pieces).decode("utf-8", "replace")


def _connected(where: SplitResult, connect_to: str, patience: float) -> socket.socket:
    """Over TLS for https; whose credential it is is of no interest here."""
    port = where.port or (443 if where.scheme == "https" else 80)
    plain = socket.create_connection((connect_to or str(where.hostname), port), patience)
    if where.scheme != "https":
        return plain
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # the default one reads all of the system's CAs: 30 ms
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context.wrap_socket(plain, server_hostname=where.hostname)


def passes() -> bool:
    """Whether a first packet comes through, and its answer back."""
    with contextlib.suppress(OSError), socket.create_connection((INTERNET_HOST, 443), 2.0):
        return True
    return False


def run_load(wanted: LoginLoad) -> Result:
    """All visits, ``parallel`` at a time."""
    waiting = [Phone(space, number) for space, number in reversed(wanted.phones)]
    times: list[float] = []
    why: list[str] = []

    def work() -> None:
        while True:
            try:
                phone = waiting.pop()
            except IndexError:
                return
            enter(phone.space)
            began = time.perf_counter()
            try:
                visit(wanted.patience, wanted.portal)
                times.append((time.perf_counter() - began) * 1000)
            except (VisitFailed, OSError) as error:
                why.append(f"{type(error).__name__}: {error}")

    threads = [threading.Thread(target=work) for _ in range(wanted.parallel)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    elapsed = time.perf_counter() - began
    return Result(times=times, tried=len(wanted.phones), elapsed=elapsed, why=why[:5])


if __name__ == "__main__":
    sys.stdout.buffer.write(msgspec.json.encode(run_load(msgspec.json.decode(sys.stdin.buffer.read(), type=LoginLoad))))
