"""Puts the issuer together."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from flask import Flask

from device.audit import AUDIT_MIGRATIONS, Audit
from device.card.credential import TrustStore
from device.clock import Clock
from device.logs import Log
from device.store import SMALL_PAGE, Migration, Store
from device.version import version
from kiosk.issuer.api import WhoAsks, create_app
from kiosk.issuer.certificate import CertificateMaker
from kiosk.issuer.challenges import CHALLENGE_MIGRATIONS, Challenges
from kiosk.issuer.given_documents import GIVEN_MIGRATIONS, GivenDocuments
from kiosk.issuer.kinds import KINDS
from kiosk.issuer.ledger import ACCEPTED_MIGRATIONS, GAP_MIGRATIONS, REQUEST_MIGRATIONS, Ledger
from kiosk.issuer.limits import Allowed, KioskLimits
from kiosk.issuer.paper.glyphs import GlyphCheck, find_font
from kiosk.issuer.paper.typst_renderer import TypstRenderer
from kiosk.issuer.register.register import REGISTER_MIGRATIONS, Register
from kiosk.issuer.revocation.wiring import build_revocation
from kiosk.issuer.seal.seal import Sealer
from kiosk.issuer.seal.seal_keys import seal_key
from kiosk.issuer.service import Issuer, IssuerPorts
from kiosk.issuer.settings import IssuerSettings
from kiosk.issuer.visits import VISIT_MIGRATIONS, Visits
from kiosk.settings import CitySettings

LEDGER_FILE = "ledger.db"
"""Beside the register: challenges, visits, accepted orders and the audit."""
LEDGER_MIGRATIONS: tuple[Migration, ...] = (
    *CHALLENGE_MIGRATIONS,
    *VISIT_MIGRATIONS,
    *REQUEST_MIGRATIONS,
    *AUDIT_MIGRATIONS,
    *GAP_MIGRATIONS,
    *ACCEPTED_MIGRATIONS,
    *GIVEN_MIGRATIONS,
)
"""In this order for ever: a later migration of any of them goes to the end of this list, not into its own."""


def build_issuer(
    settings: IssuerSettings, city: CitySettings, state: Path, *, clock: Clock, log: Log, who_asks: WhoAsks
) -> Flask:
    """The WSGI app of one worker. Raises StoreError, SettingsError (trust folder, seal key), FontMissing."""
    issuer = build_service(settings, city, state, clock)
    log.info("issuer_ready", ready=issuer.health().ready)
    return create_app(issuer.for_kiosk, who_asks, log)


def build_service(settings: IssuerSettings, city: CitySettings, state: Path, clock: Clock) -> Issuer:
    """The issuer without its HTTP. ``state``: folder that relative paths of the settings start from."""
    register = state / settings.register
    ledger = Store(register.with_name(LEDGER_FILE), LEDGER_MIGRATIONS, page_bytes=SMALL_PAGE)
    font = find_font(settings.font_folders)
    maker = CertificateMaker(
        glyphs=GlyphCheck(font),
        renderer=TypstRenderer(font, Path(str(resources.files("kiosk.issuer"))), specimen=settings.specimen),
        sealer=Sealer(seal_key(state / settings.seal, settings.seal_name or city.name_en, clock.now())),
        authority=settings.mayor or city.name_ja,
        municipality=settings.municipality_code,
    )
    trust = TrustStore.load(state / settings.trust)
    return Issuer(
        IssuerPorts(
            register=Register(Store(register, REGISTER_MIGRATIONS)),
            trust=trust,
            challenges=Challenges(ledger, clock),
            visits=Visits(ledger, clock),
            ledger=Ledger(ledger),
            given=GivenDocuments(ledger, clock),
            limits=KioskLimits(Allowed(settings.requests_per_minute, orders_per_hour=settings.orders_per_hour), clock),
            maker=maker,
            audit=Audit(ledger, clock),
            clock=clock,
            kinds=KINDS,
            fees_yen=settings.fees_yen,
            max_copies=settings.max_copies,
            version=version(),
            revocation=build_revocation(settings.revocation, state, register.parent, trust, clock),
        )
    )
