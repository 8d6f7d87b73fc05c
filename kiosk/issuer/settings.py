"""The [issuer] section of the site file."""

from __future__ import annotations

from typing import Annotated

import msgspec

from device.settings import Section


class IssuerSettings(Section, frozen=True, kw_only=True):
    """The municipal side. register: SQLite file; trust: folder of CA certificates (PEM or DER); seal: folder of the
    seal key, made when missing, and of the public keys; all relative to the state folder unless absolute. seal_name:
    what the key is called, the city's English name unless given. fees_yen: kind -> yen a copy; a kind without a fee is
    not offered. font_folders: where IPAmj Mincho lies. max_copies: of one certificate in one request. specimen: 見本
    stands across every page; for demo and training alone.
    host, port: where nginx listens for kiosks elsewhere, by mutual TLS; on loopback and without a tls_certificate there
    are none, and the issuer serves the kiosk of its own box by a socket alone. tls_certificate, tls_key, client_ca: PEM
    files, relative to the state folder unless absolute; beside city hall its own are used unless others are named here.
    revocation_minutes: how old the list of admitted boxes may be where city hall is on another machine.
    requests_per_minute, orders_per_hour: of one kiosk; 0 orders: any number.
    """

    host: str = "127.0.0.1"
    port: int = 8101
    tls_certificate: str = ""
    tls_key: str = ""
    client_ca: str = ""
    register: str = "issuer/register.db"
    trust: str = "issuer/trust"
    seal: str = "issuer/seal"
    seal_name: str = ""
    mayor: str
    municipality_code: str
    fees_yen: dict[str, int] = msgspec.field(default_factory=lambda: {"residence_record": 300})
    max_copies: int = 5
    requests_per_minute: Annotated[int, msgspec.Meta(ge=30)] = 240
    orders_per_hour: Annotated[int, msgspec.Meta(ge=0)] = 120
    revocation_minutes: Annotated[int, msgspec.Meta(ge=1, le=1440)] = 5
    specimen: bool = False
    font_folders: list[str] = msgspec.field(default_factory=lambda: ["/usr/share/fonts"])

    @property
    def serves_others(self) -> bool:
        """Whether kiosks on other machines are served."""
        return bool(self.tls_certificate) or self.host not in ("127.0.0.1", "::1", "localhost")
