"""The table of log-in methods, by the names the site file uses."""

from __future__ import annotations

from collections.abc import Mapping

from captive_portal.portal.languages import Catalogue
from captive_portal.portal.login.email_code import EmailCode
from captive_portal.portal.login.method import LoginMethod
from captive_portal.portal.login.one_tap import OneTap
from captive_portal.portal.login.voucher import Voucher
from captive_portal.portal.mail import MailQueue
from device.clock import Clock
from device.store import Store


def build_methods(
    store: Store, key: bytes, clock: Clock, mail_queue: MailQueue, catalogues: Mapping[str, Catalogue]
) -> dict[str, LoginMethod]:
    """Every method; which of them a spot offers is its ``login`` setting."""
    return {
        "one_tap": OneTap(),
        "email_code": EmailCode(store, key, clock, mail_queue, catalogues),
        "voucher": Voucher(store, key, clock),
    }
