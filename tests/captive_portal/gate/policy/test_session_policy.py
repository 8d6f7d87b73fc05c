"""The desired state: who may pass, until when, and why not."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from captive_portal.gate import protocol as p
from captive_portal.gate.memory import MemoryGate
from captive_portal.gate.policy.session_policy import END_EARLY_SECONDS
from captive_portal.settings import LimitSettings
from device.clock import JST, HeldClock
from tests.captive_portal.gate.sites import MORNING, a_site, ip, mac


def a_gate(limits: LimitSettings | None = None, at: datetime = MORNING, **spot: object) -> tuple[MemoryGate, HeldClock]:
    """A gate in memory with phones 1 to 9 connected."""
    clock = HeldClock(at)
    gate = MemoryGate(a_site(limits, **spot), clock)
    for n in range(1, 10):
        gate.arrive(ip(n), mac(n))
    return gate, clock


def tap(gate: MemoryGate, number: int, **more: object) -> p.Opened | p.Refused:
    return gate.open(p.Open(**{"ip": ip(number), "method": "one_tap", **more}))  # type: ignore[arg-type]  # fields by name


def refused(reason: p.RefusalReason) -> p.Refused:
    return p.Refused(refused=reason)


def test_a_phone_passes_after_login_and_no_longer_after_its_minutes() -> None:
    gate, clock = a_gate()
    assert not gate.passes(ip(1))
    assert isinstance(tap(gate, 1), p.Opened)
    clock.advance(3590)
    assert gate.passes(ip(1))
    clock.advance(10)
    assert not gate.passes(ip(1))
    assert gate.lookup(ip(1)).state is p.PhoneState.ENDED


def test_a_second_login_gets_the_same_session() -> None:
    gate, _ = a_gate()
    first, second = tap(gate, 1), tap(gate, 1)
    assert isinstance(first, p.Opened)
    assert isinstance(second, p.Opened)
    assert first.session == second.session


def test_a_phone_without_lease_or_off_the_air_is_refused() -> None:
    gate, _ = a_gate()
    gate.arrive(ip(20), mac(20), leased=False)
    assert tap(gate, 20) == refused(p.RefusalReason.NO_LEASE)
    assert tap(gate, 99) == refused(p.RefusalReason.NO_LEASE)
    assert gate.lookup(ip(99)).state is p.PhoneState.UNKNOWN


def test_the_minutes_of_the_day_are_shared_by_all_visits() -> None:
    gate, clock = a_gate(LimitSettings(minutes_per_visit=60, minutes_per_day=90))
    tap(gate, 1)
    clock.advance(3600)
    second = tap(gate, 1)
    assert isinstance(second, p.Opened)
    assert second.seconds_left == pytest.approx(1800, abs=2)
    clock.advance(1800)
    assert tap(gate, 1) == refused(p.RefusalReason.MINUTES_USED)
    clock.advance(86400)
    assert isinstance(tap(gate, 1), p.Opened)


def test_an_account_has_its_minutes_on_whichever_phone() -> None:
    gate, clock = a_gate(LimitSettings(minutes_per_visit=60, minutes_per_day=60))
    tap(gate, 1, account="voucher")
    clock.advance(3600)
    assert tap(gate, 2, account="voucher") == refused(p.RefusalReason.MINUTES_USED)
    assert isinstance(tap(gate, 2, account="another"), p.Opened)


def test_an_account_has_no_more_phones_online_than_allowed() -> None:
    gate, _ = a_gate(LimitSettings(devices=2))
    tap(gate, 1, account="a")
    tap(gate, 2, account="a")
    assert tap(gate, 3, account="a") == refused(p.RefusalReason.DEVICES)
    gate.end(ip=ip(1))
    assert isinstance(tap(gate, 3, account="a"), p.Opened)


def test_a_visit_ends_at_closing_time_and_none_begins_after() -> None:
    gate, clock = a_gate(opens="08:30", closes="09:15")
    opened = tap(gate, 1)
    assert isinstance(opened, p.Opened)
    assert opened.seconds_left == 900
    clock.advance(900)
    assert not gate.passes(ip(1))
    assert tap(gate, 1) == refused(p.RefusalReason.CLOSED)
    assert gate.lookup(ip(1)).closed


def test_a_method_that_the_spot_does_not_offer_is_refused() -> None:
    gate, _ = a_gate()
    assert tap(gate, 1, method="email_code") == refused(p.RefusalReason.METHOD)


def test_a_blocked_phone_is_put_off_and_kept_off() -> None:
    gate, _ = a_gate()
    tap(gate, 1)
    assert gate.block(ip=ip(1)) == 1
    assert not gate.passes(ip(1))
    assert tap(gate, 1) == refused(p.RefusalReason.BLOCKED)
    assert gate.unblock(mac(1)) == 1
    assert isinstance(tap(gate, 1), p.Opened)


def test_extending_gives_a_new_visit_from_now_within_the_day() -> None:
    gate, clock = a_gate(LimitSettings(minutes_per_visit=30, minutes_per_day=45))
    assert gate.extend(ip(1)) == refused(p.RefusalReason.NOT_ONLINE)
    tap(gate, 1)
    assert gate.extend(ip(1)) == refused(p.RefusalReason.MINUTES_USED)
    clock.advance(1200)
    extended = gate.extend(ip(1))
    assert isinstance(extended, p.Opened)
    assert extended.seconds_left == 1500


def test_a_voucher_buys_its_own_minutes_and_no_more() -> None:
    gate, clock = a_gate(LimitSettings(minutes_per_visit=60))
    assert isinstance(tap(gate, 1, method="voucher", minutes=20), p.Opened)
    session = gate.lookup(ip(1)).session
    assert session
    assert not session.can_extend
    assert gate.extend(ip(1)) == refused(p.RefusalReason.MINUTES_USED)
    clock.advance(1200)
    assert not gate.passes(ip(1))


def test_a_token_moves_the_remaining_minutes_once() -> None:
    gate, clock = a_gate()
    opened = tap(gate, 1)
    assert isinstance(opened, p.Opened)
    clock.advance(600)
    moved = gate.resume(ip(2), opened.token)
    assert isinstance(moved, p.Opened)
    assert (moved.session, moved.seconds_left) == (opened.session, 3000)
    assert (gate.passes(ip(1)), gate.passes(ip(2))) == (False, True)
    assert gate.resume(ip(3), opened.token) == refused(p.RefusalReason.TOKEN)


def test_a_forged_or_old_token_is_worth_nothing() -> None:
    gate, clock = a_gate()
    opened = tap(gate, 1)
    assert isinstance(opened, p.Opened)
    for forged in ("", "a.b.c", opened.token[:-1] + "A" * (opened.token[-1] != "A") + "B", opened.session + ".0."):
        assert gate.resume(ip(2), forged) == refused(p.RefusalReason.TOKEN)
    clock.advance(4000)
    assert gate.resume(ip(2), opened.token) == refused(p.RefusalReason.TOKEN)


def test_a_quota_throttles_or_ends() -> None:
    for when, passes in (("throttle", True), ("end", False)):
        gate, _ = a_gate(LimitSettings(quota_mib=1, when_quota=when))  # type: ignore[arg-type]  # both words are in the Literal
        tap(gate, 1)
        gate.traffic(ip(1), 2**19, 2**19 - 1)
        assert gate.lookup(ip(1)).session
        gate.traffic(ip(1), 0, 1)
        assert gate.passes(ip(1)) is passes
        assert [s.throttled for s in gate.sessions()] == ([True] if passes else [])


def test_a_new_address_of_the_same_phone_takes_the_session_along() -> None:
    gate, _ = a_gate()
    tap(gate, 1)
    gate.leave(ip(1))
    gate.arrive(ip(30), mac(1))
    assert gate.lookup(ip(30)).state is p.PhoneState.ONLINE
    assert gate.passes(ip(30))


def test_disaster_mode_ends_by_itself_and_spares_no_blocked_phone() -> None:
    gate, clock = a_gate()
    gate.block(ip=ip(2))
    until = MORNING.replace(hour=10)
    assert gate.set_disaster(p.SetDisaster(on=True, reason="flood", until=until, by="s1")).until == until
    assert (gate.passes(ip(1)), gate.passes(ip(2))) == (True, False)
    clock.advance(3600)
    assert not gate.passes(ip(1))
    assert not gate.disaster().on


def test_handles_change_at_midnight_and_hold_no_mac() -> None:
    gate, clock = a_gate(at=datetime(2026, 11, 23, 23, 59, tzinfo=JST))
    before = gate.lookup(ip(1)).phone
    assert before == gate.lookup(ip(1)).phone
    clock.advance(120)
    assert gate.lookup(ip(1)).phone != before
    assert mac(1).replace(":", "") not in before


def test_the_wall_clock_does_not_end_a_session() -> None:
    gate, clock = a_gate()
    tap(gate, 1)
    clock.step(10 * 86400)
    assert gate.passes(ip(1))
    clock.step(-20 * 86400)
    assert gate.passes(ip(1))


def test_events_tell_the_whole_session_without_addresses() -> None:
    gate, clock = a_gate()
    tap(gate, 1, language="ja", device="android")
    gate.traffic(ip(1), 100, 2000)
    clock.advance(60)
    gate.policy.record_growth()
    gate.end(ip=ip(1))
    tap(gate, 99)
    events = gate.drain_usage()
    assert [e.kind for e in events] == ["opened", "used", "ended", "refused"]
    assert sum(e.bytes_down for e in events) == 2000
    assert sum(e.seconds for e in events) == 60
    assert mac(1) not in repr(events)
    assert ip(1) not in repr(events)
    assert gate.drain_usage(acknowledged=events[-1].number) == []


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["open", "end", "extend", "block", "unblock", "resume", "wait"]), st.integers(1, 4))
    )
)
def test_whatever_is_asked_a_phone_passes_only_with_a_session_of_its_own(steps: list[tuple[str, int]]) -> None:
    gate, clock = a_gate(LimitSettings(minutes_per_visit=10, minutes_per_day=25))
    token = ""
    for what, number in steps:
        match what:
            case "open":
                opened = tap(gate, number, account=f"account{number % 2}")
                token = opened.token if isinstance(opened, p.Opened) else token
            case "end":
                gate.end(ip=ip(number))
            case "extend":
                gate.extend(ip(number))
            case "block":
                gate.block(ip=ip(number))
            case "unblock":
                gate.unblock()
            case "resume":
                gate.resume(ip(number), token)
            case _:
                clock.advance(200 * number)
        online = {s.mac: s for s in gate.sessions()}
        assert len(online) == len(gate.policy.sessions)
        for n in range(1, 5):
            assert gate.passes(ip(n)) == (mac(n) in online)
        assert all(mac not in gate.policy.blocked_phones and s.seconds_left <= 600 for mac, s in online.items())
        assert gate.policy.next_due() > clock.monotonic() - END_EARLY_SECONDS
    assert all(
        seconds <= 25 * 60 + 1 for key, seconds in gate.policy.used_seconds.items() if not key.startswith("account")
    )
