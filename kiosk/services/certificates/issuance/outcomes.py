"""Tells the issuer how requests ended, again and again until it confirmed."""

from __future__ import annotations

from kiosk.issuer.errors import IssuerBroken, IssuerUnreachable, RequestUnknown
from kiosk.issuer.port import IssuerPort
from kiosk.issuer.protocol import Outcome
from kiosk.services.certificates.issuance.journal import Journal


def tell(journal: Journal, issuer: IssuerPort, kiosk: str) -> int:
    """Tell every untold outcome; how many stay untold. An unreachable issuer ends the round: the rows wait."""
    waiting = journal.untold()
    for place, untold in enumerate(waiting):
        try:
            settled = issuer.outcome(untold.request, Outcome(kiosk=kiosk, outcome=untold.outcome))
        except RequestUnknown:
            settled = None  # the order never reached the issuer, so there is nothing to settle
        except (IssuerUnreachable, IssuerBroken):
            return len(waiting) - place
        journal.told(untold)
        if settled is not None:
            journal.settled(untold.request, settled.outcome)
    return 0
