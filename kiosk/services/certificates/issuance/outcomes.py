"""Tells the issuer how requests ended, again and again until it confirmed."""

from __future__ import annotations

from kiosk.issuer.errors import IssuerBroken, IssuerBusy, IssuerUnreachable, RequestUnknown
from kiosk.issuer.port import IssuerPort
from kiosk.issuer.protocol import Outcome, Settled
from kiosk.services.certificates.issuance.journal import Journal


def tell(journal: Journal, issuer: IssuerPort) -> int:
    """Tell every untold outcome; how many stay untold. An issuer that is unreachable or takes no more for a while ends
    the round: the rows wait.
    """
    waiting = journal.untold()
    for place, untold in enumerate(waiting):
        try:
            settled = issuer.outcome(untold.request, Outcome(outcome=untold.outcome, key=untold.key))
        except RequestUnknown:
            settled = None  # the order never reached the issuer, so there is nothing to settle
        except (IssuerUnreachable, IssuerBusy, IssuerBroken):
            return len(waiting) - place
        journal.told(untold)
        if isinstance(settled, Settled):  # refused: this box no longer has the key, as after a restore; staff compare
            journal.settled(untold.request, settled.outcome)
    return 0
