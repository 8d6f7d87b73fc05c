"""The throw-away TEST PKI: CA generations and the cards they issued, in a folder, made only where missing.

Certificates follow the profile found on real cards (docs/sources.md#card-credential), with TEST in every name.
Layout: trust/*.pem (what an issuer may trust), ca/ (CA keys), cards/NAME/ (what the chip of that card holds).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from device.card.virtual.certificates import (
    AUTHENTICATION,
    SIGNATURE,
    Authority,
    Family,
    Validity,
    authority_certificate,
    card_certificate,
)
from device.files import atomic_write

TOKEN_MY_NUMBER = "JPKIAPICCTOKEN2"  # noqa: S105 - the card's public token info, not a password
TOKEN_JUKI = "JPKIAPICCTOKEN"  # noqa: S105 - as above
TOKEN_PHONE = "JPKIAPGPSETOKEN"  # noqa: S105 - as above
DEMO_PIN = "1234"
DEMO_SIGNING_PASSWORD = "TEST1234"  # noqa: S105 - of throw-away cards only


class CardFacts(msgspec.Struct, frozen=True, kw_only=True):
    """card.json beside a card's keys. token: text of EF 0006, "" for a card without the JPKI application. short_ef,
    extended: which of the newer APDU forms the chip understands.
    """

    token: str
    pin: str
    signing_password: str
    short_ef: bool = True
    extended: bool = True


# From early 2024 to the end of 2032: longer than a real card's, so that a demo runs whatever its clock says.
_CURRENT = Validity(datetime(2024, 1, 4, 15, 0, tzinfo=UTC), datetime(2032, 12, 31, 14, 59, 59, tzinfo=UTC))
_EXPIRED = Validity(datetime(2018, 4, 1, tzinfo=UTC), datetime(2023, 4, 1, 14, 59, 59, tzinfo=UTC))
_OLDER = Validity(datetime(2023, 6, 1, 15, 0, tzinfo=UTC), datetime(2028, 6, 1, 14, 59, 59, tzinfo=UTC))
_FUTURE = Validity(datetime(2033, 1, 1, tzinfo=UTC), datetime(2033, 7, 1, 14, 59, 59, tzinfo=UTC))


@dataclass(frozen=True)
class CardPlan:
    """How one named card is to be made. generation: index into GENERATIONS, or "unknown" for a CA nobody trusts."""

    name: str
    serial: int
    generation: int | str = 2
    validity: Validity = _CURRENT
    token: str = TOKEN_MY_NUMBER
    municipality: str = "27999"
    short_ef: bool = True
    extended: bool = True


GENERATIONS: tuple[Validity, ...] = (
    Validity(datetime(2015, 10, 19, 15, 0, tzinfo=UTC), datetime(2025, 10, 19, 14, 59, 59, tzinfo=UTC)),
    Validity(datetime(2019, 7, 14, 15, 0, tzinfo=UTC), datetime(2029, 7, 14, 14, 59, 59, tzinfo=UTC)),
    Validity(datetime(2023, 7, 15, 15, 0, tzinfo=UTC), datetime(2033, 7, 15, 14, 59, 59, tzinfo=UTC)),
)
"""Validity of the three CA generations known in public (docs/sources.md#card-authorities)."""

PLANS: tuple[CardPlan, ...] = (
    CardPlan("demo", 0x0A11CE01),
    CardPlan("demo2", 0x0B0B0002),
    CardPlan("older", 0x01DE4003, generation=1, validity=_OLDER, short_ef=False, extended=False),
    CardPlan("expired", 0x0DEAD004, generation=0, validity=_EXPIRED),
    CardPlan("future", 0x0F070005, validity=_FUTURE),
    CardPlan("unknown_ca", 0x0BADCA06, generation="unknown"),
    CardPlan("phone", 0x0F0E0007, token=TOKEN_PHONE),
    CardPlan("juki", 0x07DC1008, generation=0, validity=_EXPIRED, token=TOKEN_JUKI),
    CardPlan("other", 0x0C0C0009, token=""),
)
"""The cards every demo has: demo and demo2 are good, older knows neither short EF nor extended length, the others are
what a kiosk must refuse (other: a chip card without the JPKI application).
"""


class TestPki:
    """The PKI in ``folder``. ``ensure`` makes what is missing; everything else reads."""

    __test__ = False  # not a test case, whatever pytest thinks of its name

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def trust(self) -> Path:
        """The folder an issuer's TrustStore loads."""
        return self.folder / "trust"

    @property
    def cards(self) -> Path:
        """The folder with one folder a card."""
        return self.folder / "cards"

    def ensure(self, names: Iterable[str] | None = None) -> None:
        """Make the CAs and the named cards (all of PLANS by default) where they are missing."""
        for plan in [p for p in PLANS if names is None or p.name in set(names)]:
            self.issue(plan)
        for generation in range(len(GENERATIONS)):
            self._authority(AUTHENTICATION, generation)

    def further_credential(self, name: str, serial: int) -> bytes:
        """Another authentication credential (DER) for the key of the named card: many persons, for measuring."""
        key = load_card_key(self.cards / name / "auth.key").public_key()
        authority = self._authority(AUTHENTICATION, len(GENERATIONS) - 1)
        made = card_certificate(AUTHENTICATION, authority, key, serial=serial, validity=_CURRENT, municipality="27999")
        return made.public_bytes(Encoding.DER)

    def issue(self, plan: CardPlan) -> Path:
        """The folder of the planned card, made if card.json is not there yet."""
        folder = self.cards / plan.name
        if (folder / "card.json").exists():
            return folder
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for family, prefix in ((AUTHENTICATION, "auth"), (SIGNATURE, "sign")):
            authority = self._authority(family, plan.generation)
            key = _new_key()
            certificate = card_certificate(
                family,
                authority,
                key.public_key(),
                serial=plan.serial,
                validity=plan.validity,
                municipality=plan.municipality,
            )
            _write(folder / f"{prefix}.key", _pem(key))
            _write(folder / f"{prefix}.der", certificate.public_bytes(Encoding.DER))
            _write(folder / f"{prefix}_ca.der", authority.certificate.public_bytes(Encoding.DER))
        facts = CardFacts(
            token=plan.token,
            pin=DEMO_PIN,
            signing_password=DEMO_SIGNING_PASSWORD,
            short_ef=plan.short_ef,
            extended=plan.extended,
        )
        _write(folder / "card.json", msgspec.json.format(msgspec.json.encode(facts)))
        return folder

    def credential(self, name: str) -> bytes:
        """The user-authentication certificate (DER) of the named card, for whoever fills a register."""
        return (self.cards / name / "auth.der").read_bytes()

    def _authority(self, family: Family, generation: int | str) -> Authority:
        stem = self.folder / "ca" / f"{family.word}-{generation}"
        if stem.with_suffix(".pem").exists():
            key = _load_key(stem.with_suffix(".key"))
            return Authority(x509.load_pem_x509_certificate(stem.with_suffix(".pem").read_bytes()), key)
        key = _new_key()
        validity = GENERATIONS[generation] if isinstance(generation, int) else GENERATIONS[-1]
        certificate = authority_certificate(family, key, validity)
        _write(stem.with_suffix(".key"), _pem(key))
        _write(stem.with_suffix(".pem"), certificate.public_bytes(Encoding.PEM))
        if family is AUTHENTICATION and isinstance(generation, int):
            _write(self.trust / f"TEST-{stem.name}.pem", certificate.public_bytes(Encoding.PEM))
        return Authority(certificate, key)


def load_card_key(file: Path) -> rsa.RSAPrivateKey:
    """A card's private key, for the virtual chip."""
    return _load_key(file)


def _new_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _load_key(file: Path) -> rsa.RSAPrivateKey:
    key = load_pem_private_key(file.read_bytes(), password=None)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise TypeError(f"{file.name} holds no RSA key")
    return key


def _pem(key: rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _write(file: Path, content: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    atomic_write(file, content, mode=0o600, durable=False)
