"""An issuer for the bench: a synthetic register of any size, and the demo's card as its only visitor."""

from __future__ import annotations

import itertools
import uuid
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from device.card.credential import identity
from device.card.virtual.pki import TestPki, load_card_key
from device.clock import SystemClock
from device.errors import HirobaError
from device.store import Store
from kiosk.issuer import protocol as p
from kiosk.issuer.form import ManyOf, default_answers
from kiosk.issuer.port import IssuerPort
from kiosk.issuer.register.records import Population
from kiosk.issuer.register.register import REGISTER_MIGRATIONS, Register
from kiosk.issuer.register.synthetic_people import population
from kiosk.issuer.settings import IssuerSettings
from kiosk.issuer.wiring import build_service
from kiosk.services.certificates.issuance.page_gate import Matches, check
from kiosk.settings import CitySettings

KIOSK = "bench"
VISITS = 50
"""Residents of as many households, who order in turn: no paper is like the one before it."""
HOUSEHOLD = 4
"""Members of each of these households."""
MANY = 10_000_000
"""What one kiosk may ask for: more than a bench can."""
CITY = CitySettings(name_ja="見本市", name_en="Mihon City", telephone="06-0000-0000")


class IssuerRefused(HirobaError):
    """The issuer refused what it must give. facts: reason."""

    code = "bench.issuer_refused"


class SyntheticIssuer:
    """The register of ``size`` residents in ``folder``. issuer: in this process, until another is put there over the
    same stores; the visits are then good there too.
    """

    def __init__(self, folder: Path, size: int) -> None:
        self.folder = folder
        self._size = size
        self._pki = TestPki(folder / "pki")
        self.settings = IssuerSettings(
            trust=str(self._pki.trust),
            mayor="見本市長　見本　太郎",
            municipality_code="27999",
            seal_name="TEST bench",
            requests_per_minute=MANY,
            orders_per_hour=0,
        )
        self._visits: list[p.Resident] = []
        self._ordered: dict[str, p.Resident] = {}

    def __enter__(self) -> SyntheticIssuer:
        self._pki.ensure(["demo"])
        store = Store(self.folder / self.settings.register, REGISTER_MIGRATIONS)
        self._register, people = Register(store), population(size=self._size)
        self._register.import_population(people)
        self._key = load_card_key(self._pki.cards / "demo" / "auth.key")
        self.issuer: IssuerPort = build_service(self.settings, CITY, self.folder, SystemClock()).for_kiosk(KIOSK)
        self._visits = list(itertools.islice(self._entered(people), VISITS))
        self._turns = itertools.cycle(self._visits)
        return self

    def __exit__(self, *_: object) -> None:
        """Its stores go with the process."""

    def certificate(self) -> bytes:
        """A whole request: order, quote, paper. The PDF. Raises IssuerRefused."""
        return self.document(self.accepted_order()).pdf

    def accepted_order(self) -> str:
        """An accepted order: its request id. Raises IssuerRefused."""
        resident = next(self._turns)
        content = p.OrderContent(
            request=str(uuid.uuid4()),
            kind=resident.offers[0].kind,
            answers={**default_answers(resident.offers[0].form), "persons": sorted(names_of(resident))},
            copies=1,
        )
        given = self.issuer.challenge()
        signature = self._sign(p.authorisation_message(given.nonce, KIOSK, content))
        order = p.Order(visit=resident.visit, challenge=given.challenge, content=content, signature=signature)
        answer = self.issuer.order(order)
        if isinstance(answer, p.Refusal):
            raise IssuerRefused(reason=answer.refused.value)
        self._ordered[content.request] = resident
        return content.request

    def document(self, request: str) -> p.Document:
        """The paper of an accepted order. Raises IssuerRefused."""
        visit = self._ordered[request].visit
        answer = self.issuer.document(request, p.DocumentRequest(visit=visit))
        if isinstance(answer, p.Refusal):
            raise IssuerRefused(reason=answer.refused.value)
        return answer

    def check_document(self, request: str) -> None:
        """The paper, read back by the kiosk's last gate. Raises IssuerRefused."""
        paper = self.document(request)
        if not isinstance(check(paper, request, self._ordered[request].binding, paper.pages), Matches):
            raise IssuerRefused(reason="the gate")

    def resident(self) -> p.Resident:
        """One of those who order."""
        return self._visits[0]

    def _entered(self, people: Population) -> Iterator[p.Resident]:
        """Those of households of four who may ask, one a household, each with a credential of their own."""
        sizes, serials = Counter(person.household for person in people.residents), itertools.count(0x0BE4C000)
        leaving = {person.household for person in people.residents if person.moving_out}
        for house in people.households:
            if sizes[house.household] != HOUSEHOLD or house.household in leaving:
                continue
            credential = self._pki.further_credential("demo", next(serials))
            self._register.link(*identity(credential), house.householder)
            answer = self.issuer.authenticate(self._proof(credential))
            if isinstance(answer, p.Resident) and len(names_of(answer)) == HOUSEHOLD:
                yield answer

    def _proof(self, credential: bytes) -> p.Authenticate:
        given = self.issuer.challenge()
        return p.Authenticate(
            challenge=given.challenge,
            credential=credential,
            signature=self._sign(p.authentication_message(given.nonce, KIOSK)),
        )

    def _sign(self, message: bytes) -> bytes:
        return self._key.sign(message, padding.PKCS1v15(), hashes.SHA256())


def names_of(resident: p.Resident) -> dict[str, str]:
    """The household as the first offer's form shows it: person -> name."""
    persons = resident.offers[0].form[0]
    return {choice.value: choice.label["ja"] for choice in persons.choices} if isinstance(persons, ManyOf) else {}
