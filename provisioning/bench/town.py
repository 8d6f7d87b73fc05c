"""A city hall of any size for the bench: the issuer on a synthetic register, and the demo's card at its kiosk.

May import: kiosk.issuer, kiosk.issuance.page_gate, device.
"""

from __future__ import annotations

import uuid
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from device.card.credential import identity
from device.card.virtual.pki import TestPki, load_card_key
from device.clock import SystemClock
from device.errors import HirobaError
from device.store import Store
from kiosk.issuance.page_gate import Matches, check
from kiosk.issuer import protocol as p
from kiosk.issuer.people import DEMO_RESIDENT, population
from kiosk.issuer.port import IssuerPort
from kiosk.issuer.register import REGISTER_MIGRATIONS, Register
from kiosk.issuer.settings import IssuerSettings
from kiosk.issuer.wiring import build_service
from kiosk.settings import CitySettings

KIOSK = "bench"
CITY = CitySettings(name_ja="見本市", name_en="Mihon City", telephone="06-0000-0000")


class TownRefused(HirobaError):
    """The issuer refused what it must give. facts: reason."""

    code = "bench.town_refused"


class Town:
    """The register of ``size`` residents in ``folder``. issuer: in this process, until another is put there."""

    def __init__(self, folder: Path, size: int) -> None:
        self.folder = folder
        self._size = size
        self._pki = TestPki(folder / "pki")
        self.settings = IssuerSettings(
            trust=str(self._pki.trust), mayor="見本市長　見本　太郎", municipality_code="27999"
        )
        self._visit: p.Resident | None = None

    def __enter__(self) -> Town:
        self._pki.ensure(["demo"])
        store = Store(self.folder / self.settings.register, REGISTER_MIGRATIONS)
        register = Register(store)
        register.import_population(population(size=self._size))
        register.link(*identity(self._pki.credential("demo")), DEMO_RESIDENT)
        store.close()
        self._key = load_card_key(self._pki.cards / "demo" / "auth.key")
        self.issuer: IssuerPort = build_service(self.settings, CITY, self.folder, SystemClock())
        return self

    def __exit__(self, *_: object) -> None:
        """Its stores go with the process."""

    def certificate(self) -> bytes:
        """A whole request: order, quote, paper. The PDF. Raises TownRefused."""
        return self.document(self.ordered()).pdf

    def ordered(self) -> str:
        """An accepted order: its request id. Raises TownRefused."""
        resident = self.resident()
        content = p.OrderContent(
            request=str(uuid.uuid4()),
            kind=p.Kind.RESIDENCE_RECORD,
            persons=[person.person for person in resident.household],
            options=p.Options(),
            copies=1,
        )
        given = self.issuer.challenge(KIOSK)
        signature = self._sign(p.authorisation_message(given.nonce, KIOSK, content))
        order = p.Order(
            kiosk=KIOSK, visit=resident.visit, challenge=given.challenge, content=content, signature=signature
        )
        answer = self.issuer.order(order)
        if isinstance(answer, p.Refusal):
            raise TownRefused(reason=answer.refused.value)
        return content.request

    def document(self, request: str) -> p.Document:
        """The paper of an accepted order. Raises TownRefused."""
        answer = self.issuer.document(request, p.DocumentRequest(kiosk=KIOSK, visit=self.resident().visit))
        if isinstance(answer, p.Refusal):
            raise TownRefused(reason=answer.refused.value)
        return answer

    def gated(self, request: str) -> None:
        """The paper, read back by the kiosk's last gate. Raises TownRefused."""
        paper = self.document(request)
        if not isinstance(check(paper, request, self.resident().binding, paper.pages), Matches):
            raise TownRefused(reason="the gate")

    def resident(self) -> p.Resident:
        """The demo's resident, entered by card once for all orders. Raises TownRefused."""
        if self._visit is None:
            given = self.issuer.challenge(KIOSK)
            proof = p.Authenticate(
                kiosk=KIOSK,
                challenge=given.challenge,
                credential=self._pki.credential("demo"),
                signature=self._sign(p.authentication_message(given.nonce, KIOSK)),
            )
            answer = self.issuer.authenticate(proof)
            if isinstance(answer, p.Refusal):
                raise TownRefused(reason=answer.refused.value)
            self._visit = answer
        return self._visit

    def _sign(self, message: bytes) -> bytes:
        return self._key.sign(message, padding.PKCS1v15(), hashes.SHA256())
