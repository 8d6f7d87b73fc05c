"""Desired state is carried out, and found again after whatever happened."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from captive_portal.gate import protocol as p
from captive_portal.gate.database import Database
from captive_portal.gate.kernel.reconcile import Element, ElementName, Plan
from captive_portal.gate.policy.disaster_usage import OpenWifiReading
from captive_portal.gate.policy.session import ObservedPhone
from captive_portal.settings import LimitSettings
from tests.captive_portal.gate.conftest import Box
from tests.captive_portal.gate.sites import a_site, ip, mac, standing

MakeBox = Callable[..., Box]


def login(box: Box, *numbers: int) -> list[p.Answer]:
    for n in numbers:
        box.bindings[ip(n)] = ObservedPhone("hall", mac(n), ip(n))
    return box.gate.handle([p.Open(ip=ip(n), method="one_tap") for n in numbers])


def let_in(box: Box) -> set[str]:
    """MACs that the kernel lets through by IPv4."""
    return {name.key.split(" . ")[0] for name in standing(box.kernel) if name.set == "up4"}


def up4(n: int) -> ElementName:
    return ElementName("up4", f"{mac(n)} . {ip(n)}")


def test_a_batch_of_logins_is_in_the_kernel_when_it_is_answered(make_box: MakeBox) -> None:
    box = make_box()
    assert all(isinstance(answer, p.Opened) for answer in login(box, 1, 2, 3))
    assert let_in(box) == {mac(1), mac(2), mac(3)}


def test_a_kernel_that_refuses_is_reported_as_busy_and_tried_again(make_box: MakeBox) -> None:
    box = make_box()
    box.kernel.refuse = True
    assert login(box, 1) == [p.Refused(refused=p.RefusalReason.GATE_BUSY)]
    assert box.gate.handle([p.GetHealth()])[0] != p.Health(ready=True, online=1, repairs=0)
    box.kernel.refuse = False
    box.clock.advance(2)
    box.gate.tick()
    assert let_in(box) == {mac(1)}


def test_the_end_of_a_session_is_not_reported_while_the_kernel_refuses_it(make_box: MakeBox) -> None:
    box = make_box()
    login(box, 1)
    box.kernel.refuse = True
    not_applied = [p.Fault(code="kernel_refused")]
    assert box.gate.handle([p.End(ip=ip(1))]) == not_applied
    assert box.gate.handle([p.End(ip=ip(1))]) == not_applied  # asked again: there is no session, and yet it passes
    box.kernel.refuse = False
    box.clock.advance(2)
    box.gate.tick()
    assert box.gate.handle([p.End(ip=ip(1))]) == [p.Done(count=0)]
    assert let_in(box) == set()


def test_a_new_network_of_the_uplink_is_closed_at_once_and_sessions_go_on(make_box: MakeBox) -> None:
    box = make_box()
    login(box, 1)
    box.kernel.traffic(up4(1), 500)
    before = box.kernel.structure()
    box.gate.follow_uplinks({"up0": ()})
    assert box.kernel.structure() == before
    box.gate.follow_uplinks({"up0": ("203.0.113.0/24",)})
    assert "203.0.113.0/24" in box.kernel.structure()
    assert let_in(box) == {mac(1)}
    assert [session.bytes_up for session in box.gate.policy.sessions.values()] == [500]


def test_what_another_program_changes_at_once_after_an_installation_is_not_taken_for_the_gate_s_own(
    make_box: MakeBox,
) -> None:
    box = make_box()
    login(box, 1)
    box.kernel.changed_at_once = "\nflushed"
    box.kernel.install("of somebody else", [])
    box.gate.schedule_verify()
    for _ in range(2):  # repaired, and changed again before the gate could look
        assert "flushed" in box.kernel.structure()
        box.clock.advance(2)
        box.kernel.changed_at_once = box.kernel.changed_at_once if "of somebody" in box.kernel.structure() else ""
        box.gate.tick()
    assert "flushed" not in box.kernel.structure()
    assert let_in(box) == {mac(1)}
    assert box.gate.handle([p.GetHealth()])[0] == p.Health(ready=True, online=1, repairs=2)


def test_time_takes_a_phone_out_and_forgets_its_connections(make_box: MakeBox) -> None:
    box = make_box()
    login(box, 1)
    box.clock.advance(3599.7)
    box.gate.tick()
    assert let_in(box) == set()
    assert len(box.kernel.forgotten) == 1


def test_a_gate_that_never_ticks_again_has_let_the_kernel_end_it(make_box: MakeBox) -> None:
    box = make_box()
    login(box, 1)
    box.clock.advance(3600)
    assert let_in(box) == set()


def test_a_flushed_ruleset_is_put_back(make_box: MakeBox) -> None:
    box = make_box()
    login(box, 1)
    box.kernel.flush()
    box.gate.schedule_verify()
    box.clock.advance(1)
    box.gate.tick()
    assert let_in(box) == {mac(1)}
    assert box.gate.handle([p.GetHealth()]) == [p.Health(ready=True, online=1, repairs=1)]


def test_a_killed_gate_finds_sessions_and_bytes_again(make_box: MakeBox) -> None:
    box = make_box()
    login(box, 1)
    box.kernel.traffic(up4(1), 1000)
    box.clock.advance(6)
    box.gate.tick()
    box.kernel.traffic(up4(1), 500)
    box.start()
    assert let_in(box) == {mac(1)}
    box.clock.advance(6)
    box.gate.tick()
    (shown,) = box.gate.policy.session_details()
    assert (shown.bytes_up, shown.seconds_left) == (1500, 3588)


def test_a_reboot_keeps_what_was_left_less_the_time_that_passed(make_box: MakeBox) -> None:
    box = make_box()
    login(box, 1)
    box.clock.advance(1200)
    box.gate.tick()
    box.reboot(600)
    box.start()
    (shown,) = box.gate.policy.session_details()
    assert shown.seconds_left == 1800
    assert let_in(box) == {mac(1)}


def test_a_clock_that_went_back_over_a_reboot_takes_nothing(make_box: MakeBox) -> None:
    box = make_box()
    login(box, 1)
    box.clock.advance(1200)
    box.gate.tick()
    box.reboot(-86400)
    box.start()
    assert box.gate.policy.session_details()[0].seconds_left == 2400


def test_bytes_are_counted_to_the_end_and_over_an_extension(make_box: MakeBox) -> None:
    box = make_box()
    login(box, 1)
    box.kernel.traffic(up4(1), 700)
    box.clock.advance(60)
    box.gate.handle([p.Extend(ip=ip(1))])
    box.kernel.traffic(up4(1), 300)
    box.gate.handle([p.End(ip=ip(1))])
    (batch,) = box.gate.handle([p.DrainUsage()])
    assert isinstance(batch, p.UsageBatch)
    assert sum(event.bytes_up for event in batch.usage) == 1000


def test_a_used_up_quota_throttles_in_the_kernel(make_box: MakeBox) -> None:
    box = make_box(a_site(LimitSettings(quota_mib=1)))
    login(box, 1)
    box.kernel.traffic(up4(1), 2**20)
    box.clock.advance(6)
    box.gate.tick()
    assert [name.set for name in standing(box.kernel) if name.set == "slow"] == ["slow"]
    box.clock.advance(6)
    box.gate.tick()
    assert box.gate.policy.session_details()[0].bytes_up == 2**20


def test_foreign_elements_in_the_sets_are_removed(make_box: MakeBox) -> None:
    box = make_box()
    login(box, 1)
    box.kernel.apply(Plan([], [(up4(7), Element(999, 500.0))]))
    box.clock.advance(6)
    box.gate.tick()
    assert let_in(box) == {mac(1)}


def test_switching_disaster_mode_is_audited_and_so_is_its_own_end(make_box: MakeBox) -> None:
    box = make_box()
    until = box.clock.now().replace(hour=10)
    box.gate.handle([p.SetDisaster(on=True, reason="flood", until=until, by="s1")])
    assert any(name.set == "disaster" for name in standing(box.kernel))
    box.clock.advance(3601)
    box.gate.tick()
    assert not any(name.set == "disaster" for name in standing(box.kernel))
    assert [line.facts["on"] for line in box.audit.lines()] == [True, False]


def test_blocks_and_disaster_are_remembered(make_box: MakeBox) -> None:
    box = make_box()
    box.gate.handle([p.Block(mac=mac(5)), p.SetDisaster(on=True, reason="quake")])
    box.reboot(10)
    box.start()
    assert {name.set for name in standing(box.kernel)} == {"blocked", "disaster"}
    assert box.gate.policy.disaster.reason == "quake"


def test_the_days_minutes_are_kept_over_a_kill_and_forgotten_at_midnight(make_box: MakeBox) -> None:
    box = make_box(a_site(LimitSettings(minutes_per_visit=60, minutes_per_day=30)))
    for minutes in (20, 10):
        login(box, 1)
        box.clock.advance(60 * minutes)
        box.gate.handle([p.End(ip=ip(1))])
        box.start()
    assert login(box, 1) == [p.Refused(refused=p.RefusalReason.MINUTES_USED)]
    box.clock.advance(15 * 3600)
    box.gate.tick()
    box.start()
    assert isinstance(login(box, 1)[0], p.Opened)
    assert box.gate.policy.used_seconds == {}


def test_minutes_that_an_older_release_kept_count_on_the_day_of_the_update(make_box: MakeBox) -> None:
    box = make_box(a_site(LimitSettings(minutes_per_visit=60, minutes_per_day=30)))
    login(box, 1)
    box.gate.handle([p.End(ip=ip(1))])
    (name,) = box.gate.policy.used_seconds
    older = Database(box.state / "sessions.db").store
    with older.transaction() as connection:
        connection.execute("DELETE FROM used")
        connection.execute("INSERT INTO fact VALUES ('used', ?)", (f'{{"{name}": 1800.0}}',))
    older.close()
    box.start()
    assert login(box, 1) == [p.Refused(refused=p.RefusalReason.MINUTES_USED)]


def test_a_blocked_phone_keeps_its_number_over_a_restart_and_gets_one_after_an_update(
    make_box: MakeBox,
) -> None:
    box = make_box()
    box.gate.handle([p.Block(mac=mac(5))])
    before = box.gate.policy.blocked_phones.details()
    older = Database(box.state / "sessions.db").store
    with older.transaction() as connection:
        connection.execute("UPDATE fact SET body = ? WHERE name = 'blocked'", (f'["{mac(5)}","{mac(6)}"]',))
    older.close()
    after = box.start().policy.blocked_phones.details()
    assert after[:1] == before
    assert [(bar.mac, bar.since, len(bar.block)) for bar in after[1:]] == [(mac(6), None, 8)]


def test_nothing_of_an_ended_session_stays_in_any_file(make_box: MakeBox) -> None:
    box = make_box()
    login(box, 1)
    box.gate.handle([p.End(ip=ip(1)), p.Block(mac=mac(9))])
    box.gate.stop()
    kept = b"".join(path.read_bytes() for path in box.state.rglob("*") if path.is_file())
    assert mac(1).encode() not in kept
    assert mac(9).encode() in kept


def test_usage_is_handed_over_once_and_survives_a_kill(make_box: MakeBox) -> None:
    box = make_box()
    login(box, 1)
    box.start()
    (batch,) = box.gate.handle([p.DrainUsage()])
    assert isinstance(batch, p.UsageBatch)
    assert [event.kind for event in batch.usage] == ["opened"]
    (rest,) = box.gate.handle([p.DrainUsage(acknowledged=batch.usage[-1].number)])
    assert rest == p.UsageBatch(usage=[])
    box.start()
    box.gate.handle([p.End(ip=ip(1))])
    (last,) = box.gate.handle([p.DrainUsage()])
    assert isinstance(last, p.UsageBatch)
    assert last.usage[0].number == batch.usage[-1].number + 1


def disaster_events(box: Box) -> list[tuple[int, int, int]]:
    (batch,) = box.gate.handle([p.DrainUsage()])
    assert isinstance(batch, p.UsageBatch)
    told = [event for event in batch.usage if event.kind == "disaster"]
    assert {(e.visitor, e.session, e.spot) for e in told} <= {("", "", "hall")}
    return [(e.phones, e.bytes_up, e.bytes_down) for e in told]


def test_the_open_wifi_of_a_disaster_is_counted_without_naming_anyone(make_box: MakeBox) -> None:
    box = make_box()
    box.gate.handle([p.SetDisaster(on=True, reason="flood")])
    box.kernel.open_wifi = OpenWifiReading({("br-lan", mac(1)), ("br-lan", mac(2))}, {"br-lan": 500}, {"br-lan": 9000})
    box.clock.advance(6)
    box.gate.tick()
    box.gate.handle([p.SetDisaster(on=False)])
    box.gate.tick()
    assert disaster_events(box) == [(2, 500, 9000)]


def test_a_gate_killed_in_a_disaster_counts_nobody_twice(make_box: MakeBox) -> None:
    box = make_box()
    box.gate.handle([p.SetDisaster(on=True, reason="flood")])
    box.kernel.open_wifi = OpenWifiReading({("br-lan", mac(1))}, {"br-lan": 500}, {"br-lan": 9000})
    box.clock.advance(6)
    box.gate.tick()
    box.start()
    box.clock.advance(601)
    box.gate.tick()
    assert disaster_events(box) == [(1, 500, 9000)]


def test_a_disaster_writes_the_file_and_a_drill_does_not(make_box: MakeBox) -> None:
    box = make_box()
    file = box.state / "disaster"
    box.gate.handle([p.SetDisaster(on=True, reason="drill", drill=True)])
    assert not file.exists()
    box.gate.handle([p.SetDisaster(on=True, reason="flood")])
    assert file.exists()
    box.gate.handle([p.SetDisaster(on=False)])
    assert not file.exists()


def test_a_disaster_ends_by_itself_while_the_box_was_off(make_box: MakeBox) -> None:
    box = make_box()
    until = box.clock.now() + timedelta(hours=2)
    box.gate.handle([p.SetDisaster(on=True, reason="flood", until=until)])
    box.reboot(3600)
    assert box.start().policy.disaster.on
    assert (box.state / "disaster").exists()
    box.reboot(3601)
    assert not box.start().policy.disaster.on
    assert not (box.state / "disaster").exists()
    assert [line.facts["on"] for line in box.audit.lines() if line.event == "disaster_switched"] == [True, False]
