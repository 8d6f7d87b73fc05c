"""A phone without a lease costs nobody a mail or a guess."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from captive_portal.gate.protocol import DrainUsage, UsageBatch
from captive_portal.portal.login.voucher import new_code
from tests.captive_portal.portal.conftest import Plaza

pytestmark = pytest.mark.attacks


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("method", ["email_code", "voucher"])
def test_without_a_lease_no_mail_is_sent_and_no_voucher_looked_at(
    build_plaza: Callable[..., Plaza], method: str, known: bool
) -> None:
    plaza = build_plaza()
    phone = plaza.phone()
    phone.get("/")
    if known:
        plaza.gate.arrive(phone.ip, "02:00:00:00:00:05", leased=False)
    else:
        plaza.gate.leave(phone.ip)
    page = phone.press("login", method, address="victim@example.jp", voucher=new_code())
    assert "つなぎ直してください" in page.text
    assert plaza.mails.mails == []
    assert plaza.store.rows("SELECT count(*) FROM attempt")[0][0] == 0
    told = plaza.gate.request(DrainUsage())
    assert isinstance(told, UsageBatch)
    assert [event.why for event in told.usage] == ["no_lease"]
