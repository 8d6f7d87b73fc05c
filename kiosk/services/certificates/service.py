"""Certificates as a service of the kiosk: what it needs, and its parts put together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from device.printer.pdf_drawing import load_library
from kiosk.services.certificates.issuance.issuance import Issuance
from kiosk.services.certificates.issuance.journal import Journal
from kiosk.services.certificates.issuance.open_matters import OpenMatters
from kiosk.services.certificates.issuance.printing import JobWatch
from kiosk.services.certificates.issuance.recovery import Recovery
from kiosk.services.certificates.issuance.settings import IssuanceSettings
from kiosk.services.certificates.journey import DONE, JOURNEY, PRINTING
from kiosk.services.certificates.order_steps import OrderSteps
from kiosk.services.certificates.paper_steps import PaperSteps
from kiosk.services.certificates.payment.counter import CounterTerminal
from kiosk.services.certificates.payment.terminal import PaymentTerminal
from kiosk.services.certificates.payment.virtual import VirtualTerminal
from kiosk.services.certificates.screens import choose_certificate, choose_options, confirm, pay, take_items
from kiosk.services.certificates.state import CertificatesVisit
from kiosk.settings import KioskSettings
from kiosk.shell.readiness import Need, Wants
from kiosk.shell.screens import plain
from kiosk.shell.service import Round, Running, Service, Shell
from kiosk.shell.wrong_codes import Place
from kiosk.sign_in.shared import SIGN_IN
from kiosk.sign_in.steps import SignInSteps

TELL_SECONDS = 60.0
"""Between two tries to tell the issuer what became of certificates."""


@dataclass(frozen=True)
class RunningCertificates(Running):
    """terminal, journal: what this service stands on, open to tests and to the demo only."""

    terminal: PaymentTerminal | None = None
    journal: Journal | None = None


def unset(settings: KioskSettings) -> str | None:
    """At the counter a fee is confirmed by the staff code: a new box has none before its first `hiroba apply`."""
    missing = settings.terminal == "counter" and not settings.staff_code_hash
    return "kiosk.no_staff_code" if missing else None


def _build(shell: Shell) -> Running:
    journal = Journal(shell.store, shell.audit, shell.ports.clock)
    terminal, issuance = _terminal(shell), _issuance(shell, journal)
    order, paper = OrderSteps(shell, issuance, terminal), PaperSteps(shell, issuance, terminal)
    matters, recovery = OpenMatters(shell.store, journal, shell.audit), _recovery(shell, journal)
    return RunningCertificates(
        blueprints=(
            choose_certificate.make_blueprint(shell.pages, order),
            choose_options.make_blueprint(shell, order),
            confirm.make_blueprint(shell, order),
            pay.make_blueprint(shell, paper, terminal),
            plain.make_blueprint(shell.pages, PRINTING),
            take_items.make_blueprint(shell, paper),
            plain.make_blueprint(shell.pages, DONE),
        ),
        visit=lambda: CertificatesVisit(settle=paper.settle),
        tick=paper.poll_payment,
        card_arrived=SignInSteps(shell).read,
        open_matters=lambda: len(matters.waiting()),
        recover=recovery.run,
        round=Round(TELL_SECONDS, issuance.tell_outcomes),
        warm=load_library,
        terminal=terminal,
        journal=journal,
    )


SERVICE = Service(
    name="certificates",
    icon="document",
    package=__package__ or "",
    journey=JOURNEY,
    build=_build,
    wants=Wants((Need.READER, Need.PAGE_PRINTER, Need.ISSUER), unset),
    shares=(SIGN_IN,),
)


def _terminal(shell: Shell) -> PaymentTerminal:
    virtual = shell.ports.settings.terminal == "virtual"
    return VirtualTerminal() if virtual else CounterTerminal(shell.staff_code(Place.PAYMENT), shell.audit)


def _issuance(shell: Shell, journal: Journal) -> Issuance:
    ports = shell.ports
    return Issuance(
        ports.issuer,
        ports.page_printer,
        journal,
        shell.audit,
        ports.clock,
        alarm=shell.alarm,
        page_rules=ports.page_rules,
        wait=ports.wait,
        later=lambda work: shell.spawn("tell", lambda: _tell(work)),
    )


def _tell(work: Callable[[], object]) -> None:
    work()


def _recovery(shell: Shell, journal: Journal) -> Recovery:
    ports = shell.ports
    watch = JobWatch(ports.page_printer, ports.clock, IssuanceSettings(), ports.wait)
    return Recovery(ports.issuer, ports.page_printer, journal, alarm=shell.alarm, watch=watch)
