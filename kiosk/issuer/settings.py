"""The [issuer] section of the site file."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from device.settings import Section

Hours = Annotated[float, msgspec.Meta(gt=0, le=24 * 31)]


class OperatorSettings(Section, frozen=True, kw_only=True):
    """One of the staff who work on the register. name: a staff number or an account, no person's name. code_hash: of
    their own code, made by ``hiroba staff-code``.
    """

    name: str
    code_hash: str


class RevocationSettings(Section, frozen=True, kw_only=True):
    """Where the issuer learns that a card was revoked. crl: folder of revocation lists (DER or PEM), relative to the
    state folder unless absolute; ocsp: URL of a responder (http); "": not asked. With neither, only what staff revoke
    here counts. ocsp_method, ocsp_nonce: as the responder wants it (RFC 6960, RFC 9654). ocsp_seconds: for one
    question in all. fresh_hours: how old a word may be. grace_hours: for so long after that a card is still served
    when no fresh word can be had (a disaster); one that is known as revoked never is.
    """

    crl: str = ""
    ocsp: str = ""
    ocsp_method: Literal["post", "get"] = "post"
    ocsp_nonce: Literal["off", "asked", "required"] = "asked"
    ocsp_seconds: Annotated[float, msgspec.Meta(gt=0, le=10)] = 3.0
    fresh_hours: Hours = 24.0
    grace_hours: Annotated[float, msgspec.Meta(ge=0, le=24 * 14)] = 0.0

    @property
    def asked(self) -> bool:
        """Whether anybody is asked."""
        return bool(self.crl or self.ocsp)


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
    operators: who may work on the register (`hiroba register`); with two of them, one can ask and another approve.
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
    operators: list[OperatorSettings] = msgspec.field(default_factory=list)
    revocation: RevocationSettings = msgspec.field(default_factory=RevocationSettings)

    @property
    def serves_others(self) -> bool:
        """Whether kiosks on other machines are served."""
        return bool(self.tls_certificate) or self.host not in ("127.0.0.1", "::1", "localhost")
