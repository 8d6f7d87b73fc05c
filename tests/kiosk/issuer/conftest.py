"""An issuer with a small register and three cards of the TEST PKI, spoken to directly or over HTTP."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from io import StringIO
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from werkzeug.serving import make_server

from device.audit import Audit
from device.card.credential import TrustStore, identity
from device.card.virtual.pki import TestPki, load_card_key
from device.clock import JST, HeldClock
from device.logs import open_log
from device.store import Store
from kiosk.issuer import protocol as p
from kiosk.issuer.api import create_app
from kiosk.issuer.certificate import CertificateMaker
from kiosk.issuer.challenges import Challenges
from kiosk.issuer.client import HttpIssuerClient
from kiosk.issuer.form import ManyOf, default_answers
from kiosk.issuer.given_documents import GivenDocuments
from kiosk.issuer.kinds import KINDS
from kiosk.issuer.kinds.kind import Kind
from kiosk.issuer.ledger import Ledger
from kiosk.issuer.limits import Allowed, KioskLimits
from kiosk.issuer.paper.glyphs import GlyphCheck, find_font
from kiosk.issuer.paper.typst_renderer import TypstRenderer
from kiosk.issuer.port import IssuerPort
from kiosk.issuer.register.register import REGISTER_MIGRATIONS, Register
from kiosk.issuer.register.synthetic_people import DEMO_RESIDENT, population
from kiosk.issuer.seal.seal import Sealer
from kiosk.issuer.seal.seal_keys import seal_key
from kiosk.issuer.service import Issuer, IssuerPorts
from kiosk.issuer.visits import Visits
from kiosk.issuer.wiring import LEDGER_MIGRATIONS

KIOSK = "kiosk-test"
ALLOWED = Allowed(requests_per_minute=60, refusals_per_hour=8, orders_per_hour=6)
ROOT = Path(__file__).parents[3]
"""Below it lie the layouts of the kinds, those of tests too."""
NOON = datetime(2026, 11, 23, 12, 0, 0, 654321, tzinfo=JST)


@pytest.fixture(scope="session")
def pki(tmp_path_factory: pytest.TempPathFactory) -> TestPki:
    made = TestPki(tmp_path_factory.mktemp("pki"))
    made.ensure(["demo", "demo2", "expired", "unknown_ca"])
    return made


@pytest.fixture(scope="session")
def font() -> Path:
    return find_font(["/usr/share/fonts"])


@pytest.fixture(scope="session")
def renderer(font: Path) -> TypstRenderer:
    return TypstRenderer(font, ROOT)


@pytest.fixture(scope="session")
def glyphs(font: Path) -> GlyphCheck:
    return GlyphCheck(font)


def persons_of(resident: p.Resident) -> list[str]:
    """The household's ids of this visit, in its order."""
    return [choice.value for choice in persons_field(resident).choices]


def persons_field(resident: p.Resident) -> ManyOf:
    field = resident.offers[0].form[0]
    assert isinstance(field, ManyOf)
    return field


@dataclass
class Hall:
    """City hall and one kiosk: the port under test, the rooms behind it, and cards that sign."""

    port: IssuerPort
    register: Register
    ledger: Store
    audit: Audit
    clock: HeldClock
    pki: TestPki
    other: IssuerPort
    log: StringIO = field(default_factory=StringIO)
    kiosk: str = KIOSK

    def sign(self, message: bytes, card: str = "demo") -> bytes:
        key = load_card_key(self.pki.cards / card / "auth.key")
        return key.sign(message, padding.PKCS1v15(), hashes.SHA256())

    def proof(self, card: str = "demo", kiosk: str = KIOSK) -> p.Authenticate:
        given = (self.port if kiosk == KIOSK else self.other).challenge()
        signature = self.sign(p.authentication_message(given.nonce, kiosk), card)
        return p.Authenticate(challenge=given.challenge, credential=self.pki.credential(card), signature=signature)

    def enter(self, card: str = "demo") -> p.Resident:
        answer = self.port.authenticate(self.proof(card))
        assert isinstance(answer, p.Resident)
        return answer

    def refused(self, card: str = "demo") -> p.RefusalReason:
        answer = self.port.authenticate(self.proof(card))
        assert isinstance(answer, p.Refusal)
        return answer.refused

    def signed(self, visit: str, content: p.OrderContent, card: str = "demo", kiosk: str = KIOSK) -> p.Order:
        given = (self.port if kiosk == KIOSK else self.other).challenge()
        signature = self.sign(p.authorisation_message(given.nonce, kiosk, content), card)
        return p.Order(visit=visit, challenge=given.challenge, content=content, signature=signature)

    def quoted(self, visit: str, content: p.OrderContent) -> p.Quote:
        answer = self.port.order(self.signed(visit, content))
        assert isinstance(answer, p.Quote)
        return answer

    def content(
        self, resident: p.Resident, count: int | None = None, copies: int = 1, items: list[str] | None = None
    ) -> p.OrderContent:
        """A residence record of the first ``count`` persons, with the items of the form unless others are given."""
        offer = resident.offers[0]
        answers = default_answers(offer.form) | {"persons": sorted(persons_of(resident)[:count])}
        return p.OrderContent(
            request=str(uuid.uuid4()),
            kind=offer.kind,
            answers=answers if items is None else answers | {"items": sorted(items)},
            copies=copies,
        )

    def told(self, resident: p.Resident, content: p.OrderContent, outcome: p.OutcomeKind) -> p.Settled | p.Refusal:
        """How the request ended, by the kiosk of its visit."""
        key = p.outcome_key(resident.visit, content.request)
        return self.port.outcome(content.request, p.Outcome(outcome=outcome, key=key))

    def link(self, card: str, resident: str) -> None:
        pair = identity(self.pki.credential(card))
        self.register.unlink(*pair)
        self.register.link(*pair, resident)


Server = Callable[[Issuer, str, StringIO], HttpIssuerClient]


@pytest.fixture
def serve() -> Iterator[Server]:
    """Puts an issuer behind a live HTTP server on a free port of loopback, as a kiosk of that name has it."""
    running = []

    def start(issuer: Issuer, kiosk: str, log: StringIO) -> HttpIssuerClient:
        app = create_app(issuer.for_kiosk, lambda _environ: kiosk, open_log("issuer", log))
        server = make_server("127.0.0.1", 0, app, threaded=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        client = HttpIssuerClient(f"http://127.0.0.1:{server.server_port}", 20.0)
        running.append((server, thread, client))
        return client

    yield start
    for server, thread, client in running:
        client.close()
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="session")
def tools(renderer: TypstRenderer, glyphs: GlyphCheck, pki: TestPki) -> tuple[TypstRenderer, GlyphCheck, TestPki]:
    """What is slow to make and keeps no state between tests."""
    return renderer, glyphs, pki


@dataclass(frozen=True)
class Sold:
    """Kinds, and what a copy of each costs."""

    kinds: Mapping[str, Kind]
    fees_yen: Mapping[str, int]


@pytest.fixture
def sold() -> Sold:
    return Sold(KINDS, {"residence_record": 300})


@pytest.fixture(params=["direct", "http"])
def hall(
    *,
    request: pytest.FixtureRequest,
    tmp_path: Path,
    tools: tuple[TypstRenderer, GlyphCheck, TestPki],
    serve: Server,
    sold: Sold,
) -> Iterator[Hall]:
    """The same city hall, spoken to directly and over HTTP."""
    renderer, glyphs, pki = tools
    clock, ledger = HeldClock(NOON), Store(tmp_path / "ledger.db", LEDGER_MIGRATIONS)
    registered = Store(tmp_path / "register.db", REGISTER_MIGRATIONS)
    register, audit = Register(registered), Audit(ledger, clock)
    register.import_population(population())
    issuer = Issuer(
        IssuerPorts(
            register=register,
            trust=TrustStore.load(pki.trust),
            challenges=Challenges(ledger, clock),
            visits=Visits(ledger, clock),
            ledger=Ledger(ledger),
            given=GivenDocuments(ledger, clock),
            limits=KioskLimits(ALLOWED, clock),
            maker=CertificateMaker(
                glyphs=glyphs,
                renderer=renderer,
                sealer=Sealer(seal_key(tmp_path / "seal", "TEST hall")),
                authority="摂津市長　見本　太郎",
                municipality="27999",
            ),
            audit=audit,
            clock=clock,
            kinds=sold.kinds,
            fees_yen=sold.fees_yen,
            max_copies=5,
            version="test",
        )
    )
    here, other = issuer.for_kiosk(KIOSK), issuer.for_kiosk("kiosk-other")
    made = Hall(here, register, ledger, audit, clock, pki, other)
    if request.param == "http":
        made.port, made.other = (serve(issuer, name, made.log) for name in (KIOSK, "kiosk-other"))
    made.link("demo", DEMO_RESIDENT)
    yield made
    ledger.close()
    registered.close()
