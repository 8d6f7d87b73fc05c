"""The common part of every nginx configuration: processes, limits of time and size, TLS, logs, listening by family.
Pure.

The servers: ``nginx_portal``, ``nginx_mutual`` (issuer, city hall).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from provisioning.box.render.refusal import CannotRender, one_line
from provisioning.nginx_headers import ADMITTED, CLIENT, CLIENT_PORT, CREDENTIAL, LISTENER, SCHEME
from provisioning.site.mistakes import Mistake

WORKER_CONNECTIONS = 1024
"""Of one worker, including those to the application. One that stalls inside TLS holds about 40 KiB."""
WORKERS = 2
ALIVE_SOCKET = "alive.sock"
"""In the folder of the process: answers 204 as long as the event loop runs (provisioning/web/nginx_companion.py)."""
CONFIGURATION = "nginx.conf"
_TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
_CIPHERS = ":".join(
    f"ECDHE-{key}-{cipher}"
    for cipher in ("AES128-GCM-SHA256", "AES256-GCM-SHA384", "CHACHA20-POLY1305")
    for key in ("ECDSA", "RSA")
)
_SAFE = re.compile(r"[^\"\\${};\x00-\x1f\x7f]+")


class NginxRuntime(NamedTuple):
    """folder: for the files nginx writes; user: of its workers, "" when started unprivileged; ipv6: whether the machine
    has it.
    """

    folder: Path
    user: str = ""
    ipv6: bool = True


class Tls(NamedTuple):
    """PEM files. client_ca: clients without a valid client credential of this CA are refused."""

    certificate: Path
    key: Path
    client_ca: Path | None = None


def nginx(servers: Sequence[str], runtime: NginxRuntime) -> str:
    """The whole file around ``servers``, texts inside ``http``. Raises CannotRender."""
    folder = runtime.folder
    user = [f"user {one_line(runtime.user)};"] if runtime.user else []
    temporary = [f"{name}_temp_path {quoted(folder / name)};" for name in _TEMPORARY]
    http = [
        "access_log off;",
        "# nginx's messages about a connection contain its address (N3, N8); the application has its own log.",
        "error_log stderr emerg;",
        "server_tokens off;",
        "default_type application/octet-stream;",
        "types { text/html html; text/css css; text/javascript js; image/svg+xml svg; font/woff2 woff2; }",
        *temporary,
        "sendfile on;",
        "client_header_timeout 10s;  # and the TLS handshake",
        "client_body_timeout 10s;",
        "send_timeout 10s;",
        "keepalive_timeout 15s;",
        "keepalive_requests 100;",
        "reset_timedout_connection on;",
        "client_header_buffer_size 1k;",
        "large_client_header_buffers 4 4k;",
        "map_hash_bucket_size 128;",
        "server_names_hash_bucket_size 128;",
        *_TLS,
        *_PROXY,
        block("server", [f"listen {_unix(folder / ALIVE_SOCKET)};", "return 204;"]),
        *servers,
    ]
    return "\n".join(
        [
            "# Made by `hiroba run nginx` from the site file. Edit the site file, not this one.",
            *user,
            "daemon off;",
            f"worker_processes {WORKERS};",
            "worker_shutdown_timeout 5s;",
            f"pid {quoted(folder / 'nginx.pid')};",
            "error_log stderr warn;",
            block("events", [f"worker_connections {WORKER_CONNECTIONS};"]),
            block("http", http),
            "",
        ]
    )


_TLS = (
    "ssl_protocols TLSv1.2 TLSv1.3;",
    f"ssl_ciphers {_CIPHERS};",
    "ssl_prefer_server_ciphers off;",
    "ssl_session_timeout 10m;",
    "ssl_session_tickets off;  # their key would live as long as the process; the cache forgets",
    "ssl_buffer_size 4k;",
)
_PROXY = (
    "proxy_http_version 1.1;",
    "proxy_connect_timeout 3s;",
    "proxy_send_timeout 10s;",
    "proxy_read_timeout 30s;",
    "proxy_next_upstream off;",
    "proxy_buffer_size 8k;",
    "proxy_buffers 8 8k;",
    "proxy_busy_buffers_size 16k;",
    "proxy_max_temp_file_size 0;",
    "client_body_buffer_size 64k;",
)


def upstream(name: str, socket: Path) -> str:
    """The application behind ``socket``. Idle connections end before gunicorn ends them (its keepalive is 5 s)."""
    lines = [f"server {_unix(socket)} max_fails=0;", "keepalive 16;", "keepalive_timeout 3s;"]
    return block(f"upstream {name}", lines)


def proxied(name: str, *, listener: str = "", credential: bool = False, admitted: bool = False) -> list[str]:
    """Pass requests to ``upstream`` name, with every header that the application trusts. A body without a
    length, which no browser's form has, is refused, and a request that names no host.
    """
    return [
        "if ($http_transfer_encoding) { return 411; }",
        'if ($http_host = "") { return 400; }',
        f"proxy_pass http://{name};",
        *_headers(listener=listener, credential=credential, admitted=admitted),
    ]


def asked(name: str, path: str, *, listener: str) -> list[str]:
    """Ask ``upstream`` name about a request and its credential (auth_request): 2xx lets it pass."""
    return [
        "internal;",
        f"proxy_pass http://{name}{path};",
        "proxy_method GET;",
        "proxy_pass_request_body off;",
        'proxy_set_header Content-Length "";',
        *_headers(listener=listener, credential=True, admitted=False),
    ]


def _headers(*, listener: str, credential: bool, admitted: bool) -> list[str]:
    return [
        'proxy_set_header Connection "";',
        "proxy_set_header Host $http_host;",
        f"proxy_set_header {CLIENT} $remote_addr;",
        f"proxy_set_header {CLIENT_PORT} $remote_port;",
        f"proxy_set_header {SCHEME} $scheme;",
        f'proxy_set_header {LISTENER} "{listener}";',
        f"proxy_set_header {CREDENTIAL} {'$ssl_client_escaped_cert' if credential else _NOTHING};",
        f'proxy_set_header {ADMITTED} "{1 if admitted else ""}";',
        *(f"proxy_set_header {header} {_NOTHING};" for header in ("Forwarded", "X-Forwarded-For")),
    ]


_NOTHING = '""'


def addresses(host: str, port: int, runtime: NginxRuntime) -> list[tuple[str, int]]:
    """By family, so that an IPv4 client keeps its IPv4 address. host: "" or "::" is every address."""
    if host not in ("", "::"):
        return [(host, port)]
    return [("0.0.0.0", port), *([("::", port)] if runtime.ipv6 else [])]  # noqa: S104 - the caller asked for all of them


def listen(host: str, port: int, runtime: NginxRuntime, *words: str) -> list[str]:
    """One line a family."""
    flags = "".join(f" {word}" for word in words if word)
    return [_listen(address, number, flags) for address, number in addresses(host, port, runtime)]


def _listen(host: str, port: int, flags: str) -> str:
    if not re.fullmatch(r"[0-9A-Za-z.:-]+", host):
        raise CannotRender(Mistake("nginx", "breaks_line"))
    return f"listen [{host}]:{port}{flags};" if ":" in host else f"listen {host}:{port}{flags};"


def tls(pair: Tls, session_zone: str) -> list[str]:
    """The credential of a server. With client credentials, TLS sessions are not resumed."""
    own = [f"ssl_certificate {quoted(pair.certificate)};", f"ssl_certificate_key {quoted(pair.key)};"]
    if pair.client_ca is None:
        return [*own, f"ssl_session_cache shared:{session_zone}:1m;"]
    client = [f"ssl_client_certificate {quoted(pair.client_ca)};", "ssl_verify_client on;", "ssl_session_cache off;"]
    return [*own, *client]


def block(head: str, lines: Sequence[str]) -> str:
    """``head { … }``, indented."""
    body = "\n".join(f"  {line}" if line else "" for text in lines for line in text.split("\n"))
    return f"{head} {{\n{body}\n}}"


def quoted(value: object) -> str:
    """A quoted word. Raises CannotRender for characters that nginx would interpret."""
    text = str(value)
    if not _SAFE.fullmatch(text):
        raise CannotRender(Mistake("nginx", "breaks_line"))
    return f'"{text}"'


def _unix(path: Path) -> str:
    """The address of a unix socket. What follows a colon in it would be read as something else. Raises CannotRender."""
    text = quoted(f"unix:{path}")
    if text.count(":") > 1:
        raise CannotRender(Mistake("nginx", "breaks_line"))
    return text
