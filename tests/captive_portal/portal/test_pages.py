from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from captive_portal.gate.protocol import SetDisaster
from captive_portal.portal.languages import LANGUAGES, read_catalogues
from captive_portal.portal.login.voucher import make_batch, show_code
from captive_portal.settings import LimitSettings, PortalSettings, SsidSettings

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Literal

    from werkzeug.test import TestResponse

    from tests.captive_portal.portal.conftest import Plaza
    from tests.conftest import KeptAudit

    Security = Literal["open", "owe", "owe_transition", "wpa2", "wpa3", "wpa2_wpa3"]


def page(answer: TestResponse) -> str:
    found = re.search(r'<body data-page="([a-z]+)">', answer.text)
    return found[1] if found else ""


def error_of(answer: TestResponse) -> str:
    found = re.search(r'data-error="([a-z_]+)"', answer.text)
    return found[1] if found else ""


def test_one_tap_opens_the_gate_without_any_cookie(plaza: Plaza) -> None:
    phone = plaza.phone()
    assert page(phone.get("/?d=apple&lang=ko")) == "welcome"
    assert not plaza.gate.passes(phone.ip)
    assert page(phone.press("login", "one_tap")) == "online"
    assert plaza.gate.passes(phone.ip)
    (session,) = plaza.gate.sessions()
    assert (session.method, session.language, session.device) == ("one_tap", "ko", "apple")


def test_the_page_never_says_online_when_the_gate_refused(build_plaza: Callable[..., Plaza]) -> None:
    plaza = build_plaza(limits=LimitSettings(minutes_per_day=60))
    phone = plaza.phone()
    phone.get("/")
    phone.press("login", "one_tap")
    plaza.clock.advance(3601)
    assert page(phone.get("/")) == "ended"
    assert error_of(phone.get("/")) == "minutes_used"
    assert 'data-action="login"' not in phone.get("/").text


def test_a_phone_without_a_lease_is_told_to_connect_again(plaza: Plaza) -> None:
    phone = plaza.phone()
    plaza.gate.arrive(phone.ip, "02:00:00:00:00:05", leased=False)
    phone.get("/")
    assert error_of(phone.press("login", "one_tap")) == "no_lease"


def test_a_mailed_code_opens_the_gate(plaza: Plaza) -> None:
    phone = plaza.phone()
    phone.get("/?lang=en")
    assert page(phone.press("login", "email_code", address="visitor@example.jp")) == "welcome"
    code = re.search(r"[0-9]{6}", plaza.mails.mails[0].text)
    assert code
    assert error_of(phone.press("login", "email_code", code="000000" if code[0] != "000000" else "1")) == "code"
    assert page(phone.press("login", "email_code", code=code[0])) == "online"
    assert plaza.gate.passes(phone.ip)


def test_a_full_mail_queue_is_told_and_nobody_is_let_in(plaza: Plaza) -> None:
    phone = plaza.phone()
    plaza.mails.full = True
    phone.get("/")
    assert error_of(phone.press("login", "email_code", address="visitor@example.jp")) == "mail"
    assert not plaza.gate.passes(phone.ip)


def test_a_voucher_gives_its_own_minutes(plaza: Plaza, audit: KeptAudit) -> None:
    key = b"a key for tests, thirty-two long"
    batch = make_batch(plaza.store, key, plaza.clock, audit, count=1, minutes=30, valid_days=1)
    phone, other = plaza.phone(5), plaza.phone(6)
    phone.get("/")
    assert 'data-seconds="1800"' in phone.press("login", "voucher", voucher=show_code(batch.codes[0])).text
    other.get("/")
    assert error_of(other.press("login", "voucher", voucher=batch.codes[0])) == "voucher_used"
    assert not plaza.gate.passes(other.ip)


def test_a_method_the_spot_does_not_offer_lets_nobody_in(build_plaza: Callable[..., Plaza]) -> None:
    plaza = build_plaza(login=["voucher"])
    phone = plaza.phone()
    token = re.search(r'name="token" value="([^"]+)"', phone.get("/").text)
    assert token
    for method in ("one_tap", "email_code", "", "admin"):
        assert phone.post("/login", {"method": method, "token": token[1]}).status_code == 403
    assert not plaza.gate.passes(phone.ip)


def test_log_out_closes_the_gate_and_the_next_tap_opens_it(plaza: Plaza) -> None:
    phone = plaza.phone()
    phone.get("/")
    phone.press("login", "one_tap")
    assert page(phone.press("logout")) == "ended"
    assert not plaza.gate.passes(phone.ip)
    assert page(phone.press("login", "one_tap")) == "online"


def test_time_is_extended_when_the_gate_allows(plaza: Plaza) -> None:
    phone = plaza.phone()
    phone.get("/")
    phone.press("login", "one_tap")
    plaza.clock.advance(3000)
    phone.get("/")
    assert 'data-seconds="3600"' in phone.press("extend").text


def test_the_resume_link_carries_the_time_left_to_a_new_mac(plaza: Plaza) -> None:
    phone = plaza.phone(5)
    phone.get("/")
    link = re.search(r'data-action="resume-link" href="([^"]+)"', phone.press("login", "one_tap").text)
    assert link
    plaza.clock.advance(600)
    again = plaza.phone(6)
    assert page(again.get(link[1].replace("&amp;", "&"))) == "welcome"
    assert not plaza.gate.passes(again.ip)
    assert 'data-seconds="3000"' in again.press("resume").text
    assert (plaza.gate.passes(again.ip), plaza.gate.passes(phone.ip)) == (True, False)


def test_the_cookie_offers_the_time_left_after_a_new_mac(plaza: Plaza) -> None:
    phone = plaza.phone(5, cookies=True)
    phone.get("/")
    assert "HttpOnly" in phone.press("login", "one_tap").headers["Set-Cookie"]
    plaza.gate.arrive(phone.ip, "02:00:00:00:00:99")
    phone.get("/")
    assert page(phone.press("resume")) == "online"


def test_opening_hours_close_the_page(build_plaza: Callable[..., Plaza]) -> None:
    plaza = build_plaza(opens="10:00", closes="20:00")
    phone = plaza.phone()
    assert page(phone.get("/")) == "closed"
    plaza.clock.advance(3600)
    assert page(phone.get("/")) == "welcome"


@pytest.mark.parametrize("drill", [True, False])
def test_in_a_disaster_the_page_informs_and_a_drill_is_called_one(plaza: Plaza, drill: bool) -> None:
    phone = plaza.phone()
    until = plaza.clock.now() + timedelta(hours=5)
    plaza.gate.set_disaster(SetDisaster(on=True, reason="大雨 <b>", until=until, by="staff", drill=drill))
    answer = phone.get("/")
    assert page(answer) == page(phone.get("/disaster")) == "disaster"
    assert ("data-drill" in answer.text) is drill
    assert "大雨 &lt;b&gt;" in answer.text
    plaza.gate.set_disaster(SetDisaster(on=False, by="staff"))
    assert phone.get("/disaster").headers["Location"] == "/"


def test_without_the_gate_the_page_says_try_again_and_nobody_passes(plaza: Plaza) -> None:
    phone = plaza.phone()
    phone.get("/")
    plaza.gate.down = True
    answer = phone.press("login", "one_tap")
    assert (answer.status_code, error_of(answer)) == (503, "busy")
    assert "gate_not_answering" in plaza.log.getvalue()


def test_a_form_without_its_own_fresh_token_does_nothing(plaza: Plaza) -> None:
    phone, other = plaza.phone(5), plaza.phone(6)
    phone.get("/")
    phone.press("login", "one_tap")
    stolen = re.search(r'name="token" value="([^"]+)"', other.get("/").text)
    assert stolen
    for path in ("/logout", "/extend", "/resume", "/login"):
        assert phone.post(path, {"token": stolen[1], "method": "one_tap"}).status_code in (200, 403)
    assert plaza.gate.passes(phone.ip)


def test_a_replayed_form_makes_no_second_session(plaza: Plaza) -> None:
    phone = plaza.phone()
    phone.get("/")
    welcome = phone.page
    phone.press("login", "one_tap")
    phone.page = welcome
    assert page(phone.press("login", "one_tap")) == "online"
    assert len(plaza.gate.sessions()) == 1


def test_no_get_changes_anything(plaza: Plaza) -> None:
    phone = plaza.phone()
    for path in ("/login", "/logout", "/extend", "/resume", "/code", "/terms", "/disaster"):
        phone.get(path)
    assert plaza.gate.sessions() == []


def test_a_refused_log_in_is_counted_without_what_was_typed(plaza: Plaza) -> None:
    phone = plaza.phone()
    phone.get("/")
    phone.press("login", "voucher", voucher="WRONG")
    (refused,) = [u for u in plaza.gate.drain_usage() if u.kind == "refused"]
    assert (refused.method, refused.why) == ("voucher", "voucher")


def test_the_log_holds_neither_address_nor_ip_nor_code(plaza: Plaza) -> None:
    phone = plaza.phone()
    phone.get("/")
    phone.press("login", "email_code", address="canary@example.jp")
    plaza.gate.down = True
    phone.get("/")
    written = plaza.log.getvalue()
    assert written
    assert [word for word in ("canary", "10.90.0", "02:00:00") if word in written] == []


@pytest.mark.parametrize(
    ("kinds", "said"),
    [
        (["open"], "open"),
        (["owe", "wpa2_wpa3"], "encrypted"),
        (["owe_transition"], "mixed"),
        (["open", "wpa3"], "mixed"),
        ([], "mixed"),
    ],
)
def test_the_visitor_is_told_how_the_air_is_secured(
    build_plaza: Callable[..., Plaza], kinds: list[Security], said: str
) -> None:
    plaza = build_plaza(ssids=[SsidSettings(ssid=f"Hiroba-{n}", security=kind) for n, kind in enumerate(kinds)])
    words = read_catalogues()
    for language in LANGUAGES:
        assert words[language].html(f"security_{said}") in plaza.phone().get(f"/?lang={language}").text


def test_the_terms_are_offered_before_the_button_that_agrees_to_them(plaza: Plaza) -> None:
    for path in ("/", "/terms"):
        text = plaza.phone().get(f"{path}?lang=en").text
        assert text.index("you agree to the terms of use (version 1)") < text.index('data-action="login"')


def test_names_in_another_language_than_the_page_say_so(build_plaza: Callable[..., Plaza]) -> None:
    plaza = build_plaza(portal=PortalSettings(provider_en="<City> Hall"), title_en="Plaza")
    vietnamese, english = plaza.phone().get("/?lang=vi").text, plaza.phone().get("/?lang=en").text
    assert vietnamese.count('<span lang="en">Plaza</span>') == vietnamese.count('lang="en">&lt;City&gt; Hall<') == 1
    assert "<span>Plaza</span>" in english
    until = plaza.clock.now() + timedelta(hours=1)
    plaza.gate.set_disaster(SetDisaster(on=True, reason="大雨<b>", until=until, by="x"))
    assert '<span lang="ja">大雨&lt;b&gt;</span>' in plaza.phone().get("/?lang=ne").text


def test_the_title_tells_an_error_first(plaza: Plaza) -> None:
    phone = plaza.phone()
    phone.get("/?lang=en")
    assert "<title>That code is not right." in phone.press("login", "voucher", voucher="AAAA").text


def test_the_minutes_left_are_read_as_they_are_spoken(plaza: Plaza) -> None:
    phone = plaza.phone()
    phone.get("/?lang=ja-easy")
    assert '60<ruby>分<rt data-readings="ふん/ぷん">ぷん</rt></ruby>' in phone.press("login", "one_tap").text
    plaza.clock.advance(60)
    assert '59<ruby>分<rt data-readings="ふん/ぷん">ふん</rt></ruby>' in phone.get("/?lang=ja-easy").text


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_of_a_disaster_names_the_citys_shelters(build_plaza: Callable[..., Plaza], language: str) -> None:
    plaza = build_plaza(portal=PortalSettings(shelters=["見本小学校（見本町1-1）", "<b>"]))
    until = plaza.clock.now() + timedelta(hours=1)
    plaza.gate.set_disaster(SetDisaster(on=True, reason="TEST", until=until, by="x"))
    text = plaza.phone().get(f"/?lang={language}").text
    assert '<ul lang="ja" data-list="shelters">\n<li>見本小学校（見本町1-1）</li>\n<li>&lt;b&gt;</li>' in text


def test_a_phone_that_is_slowed_down_is_told_so(plaza: Plaza) -> None:
    phone, words = plaza.phone(), read_catalogues()["en"]
    phone.get("/?lang=en")
    before = phone.press("login", "one_tap").text
    plaza.gate.traffic(phone.ip, 0, 500 << 20)
    after = phone.get("/?lang=en").text
    slow = str(words.html("data_slow"))
    assert (slow in before, slow in after, "MB of data left" in after) == (False, True, False)


def test_who_went_to_read_the_mail_finds_the_place_for_the_code_again(plaza: Plaza) -> None:
    phone, other = plaza.phone(5), plaza.phone(6)
    phone.get("/?lang=en")
    phone.press("login", "email_code", address="visitor@example.jp")
    again = phone.get("/?lang=en").text  # an iPhone has closed its window meanwhile
    link = re.search(r'data-action="code-link" href="([^"]+)"', again)
    assert link
    assert "code-link" not in other.get("/?lang=en").text
    code = re.search(r"[0-9]{6}", plaza.mails.mails[0].text)
    assert code
    phone.get(link[1].replace("&amp;", "&"))
    assert page(phone.press("login", "email_code", code=code[0])) == "online"
    phone.press("logout")
    assert "code-link" not in phone.get("/").text


def test_a_code_that_is_over_is_offered_no_longer(plaza: Plaza) -> None:
    phone = plaza.phone()
    phone.get("/")
    phone.press("login", "email_code", address="visitor@example.jp")
    plaza.clock.advance(601)
    assert "code-link" not in phone.get("/").text
    plaza.mails.full = True
    phone.press("login", "email_code", address="visitor@example.jp")
    assert "code-link" not in phone.get("/").text
