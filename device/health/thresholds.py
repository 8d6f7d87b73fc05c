"""When a reading of the machine is a finding: pure functions from reading to Finding, with their thresholds."""

from __future__ import annotations

from typing import NamedTuple

from device.health.finding import Finding, absent, error, ok, warning

MIB = 1 << 20


class Space(NamedTuple):
    """A file system: bytes in all and free; inodes in all (0: it has none to count) and free."""

    total: int
    free: int
    inodes: int
    inodes_free: int


def space(seen: Space) -> Finding:
    """Journals need room; a full card stops the kiosk."""
    percent = 100 * seen.free // max(1, seen.total)
    inodes = 100 * seen.inodes_free // seen.inodes if seen.inodes else 100
    facts: dict[str, str | int | float] = {"free_mib": seen.free // MIB, "free_percent": min(percent, inodes)}
    if seen.free < 100 * MIB or inodes < 2:
        return error("disk.full", **facts)
    return warning("disk.nearly_full", **facts) if percent < 10 or inodes < 10 else ok("disk.space", **facts)


def canary(answer: str) -> Finding:
    """answer: "ok", "read_only", "differs" (read back otherwise than written) or "failed"."""
    if answer == "ok":
        return ok("disk.writes")
    return error({"read_only": "disk.read_only", "differs": "disk.read_back_mismatch"}.get(answer, "disk.write_failed"))


def wear(life_used_percent: int | None, end_of_life: int | None) -> Finding:
    """eMMC's own estimate (JESD84-B51 §7.4: DEVICE_LIFE_TIME_EST in steps of 10 %, PRE_EOL_INFO 1 to 3)."""
    if life_used_percent is None and end_of_life is None:
        return absent("disk.wear_unknown")
    used = life_used_percent or 0
    if end_of_life == 3 or used > 100:
        return error("disk.worn_out", used_percent=used)
    return (
        warning("disk.wearing", used_percent=used)
        if end_of_life == 2 or used >= 80
        else ok("disk.wear", used_percent=used)
    )


def file_system(errors: int | None) -> Finding:
    """ext4's own count of errors since the last check."""
    if errors is None:
        return absent("disk.errors_unknown")
    return error("disk.file_system_errors", count=errors) if errors else ok("disk.file_system")


def power(throttled: int | None, *, board_tells: bool = False) -> Finding:
    """The Raspberry Pi firmware's get_throttled: bit 0 under-voltage now, 1-3 slowed now, 16-19 the same since boot.
    board_tells: this board is one that can say it, so that silence is a fault.
    """
    if throttled is None:
        return warning("power.silent") if board_tells else absent("power.unknown")
    if throttled & 0x1:
        return error("power.under_voltage_now")
    if throttled & 0x10000:
        return warning("power.under_voltage_before")
    return warning("power.throttled") if throttled & 0xE000E else ok("power.steady")


def temperature(celsius: float | None, *, board_tells: bool = False) -> Finding:
    """A Pi slows down from 80 °C and stops at 85 °C. board_tells: see power."""
    if celsius is None:
        return warning("heat.silent") if board_tells else absent("heat.unknown")
    seen = round(celsius, 1)
    if celsius >= 85:
        return error("heat.too_hot", celsius=seen)
    return warning("heat.hot", celsius=seen) if celsius >= 75 else ok("heat.fine", celsius=seen)


def memory(available: int, total: int) -> Finding:
    """Bytes that programs can still get."""
    percent = 100 * available // max(1, total)
    return warning("memory.low", free_percent=percent) if percent < 8 else ok("memory.fine", free_percent=percent)


def clock(synchronised: bool | None, year: int, earliest_year: int, *, container: str = "") -> Finding:
    """Without the right time no card, certificate or issue number can be trusted. container: its kind; the clock of one
    is set by the machine under it.
    """
    if year < earliest_year:
        return error("clock.wrong", year=year)
    if synchronised is None:
        return absent("clock.unknown")
    if not synchronised and container:
        return absent("clock.of_host", container=container)
    return ok("clock.synchronised") if synchronised else warning("clock.free_running")


def rtc(off_seconds: int | None, *, container: str = "") -> Finding:
    """off_seconds: battery clock minus system clock; None without one. container: see clock."""
    if off_seconds is None:
        return absent("rtc.of_host", container=container) if container else warning("rtc.missing")
    return warning("rtc.off", seconds=off_seconds) if abs(off_seconds) > 120 else ok("rtc.fine", seconds=off_seconds)


def watchdog(there: bool, pinged: bool, *, container: str = "") -> Finding:
    """The board's own, for a machine that has frozen as a whole. there: the kernel knows one; pinged: systemd
    has armed it and pings it (RuntimeWatchdogSec=). container: see clock.
    """
    if container:
        return absent("watchdog.of_host", container=container)
    if not there:
        return warning("watchdog.missing")
    return ok("watchdog.armed") if pinged else warning("watchdog.not_armed")


class Setting(NamedTuple):
    """One of the kernel's settings. name: as sysctl writes it; found: None where the kernel, or this network namespace,
    does not have it; at_least: more than wanted is right too; optional: not every kernel or namespace has it.
    """

    name: str
    wanted: int
    found: int | None
    at_least: bool = False
    optional: bool = False

    def is_right(self) -> bool:
        """As it has to be."""
        if self.found is None:
            return False
        return self.found >= self.wanted if self.at_least else self.found == self.wanted


def kernel_settings(seen: list[Setting]) -> list[Finding]:
    """What the gate's rules rely on: each that is not as it has to be, and how many are."""
    found = [absent("kernel.setting_not_here", setting=s.name) for s in seen if s.found is None and s.optional]
    found += [
        error("kernel.setting_wrong", setting=s.name, wanted=s.wanted, found=-1 if s.found is None else s.found)
        for s in seen
        if not s.is_right() and not (s.found is None and s.optional)
    ]
    return [*found, ok("kernel.settings", count=sum(s.is_right() for s in seen))]


def dns(answered: bool | None) -> Finding:
    """answered: by the first resolver of resolv.conf; None when it names none."""
    if answered is None:
        return error("dns.none_set")
    return ok("dns.answers") if answered else error("dns.silent")


def uplink(gateways: int, needed: bool) -> Finding:
    """gateways: families with a default route. needed: something of this box's work is elsewhere."""
    if gateways:
        return ok("uplink.route")
    return error("uplink.no_route") if needed else absent("uplink.not_needed")


def credential(name: str, days_left: int | None, days_valid: int, not_yet: bool = False) -> Finding:
    """name: which one. days_left: None when it cannot be read. Warned when a fifth of its life is left, at most 60."""
    if days_left is None:
        return error("credential.unreadable", name=name)
    facts: dict[str, str | int | float] = {"name": name, "days_left": days_left}
    if not_yet:
        return error("credential.not_yet_valid", **facts)
    if days_left < 0:
        return error("credential.expired", **facts)
    soon = min(60, max(3, days_valid // 5))
    return warning("credential.expires_soon", **facts) if days_left < soon else ok("credential.valid", **facts)


def superseded(found: Finding) -> Finding:
    """An expired CA beside one that is valid: the cards it signed are refused, and nothing waits for it."""
    return absent("credential.superseded", **found.facts) if found.code == "credential.expired" else found


def last_backup(hours: float | None, wanted: bool) -> Finding:
    """hours since the last archive; None: never. wanted: the site file has [backup]."""
    if hours is None:
        return warning("backup.never") if wanted else warning("backup.not_set_up")
    seen = round(hours)
    if hours > 7 * 24:
        return error("backup.too_old", hours=seen)
    return warning("backup.old", hours=seen) if hours > 36 else ok("backup.fresh", hours=max(0, seen))


class Unit(NamedTuple):
    """A systemd unit: its name and kind ("service", "timer", …), ActiveState, whether it runs once, restarts so far."""

    name: str
    active: str
    once: bool
    restarts: int


def unit(seen: Unit) -> Finding:
    """A service that hiroba.target wants."""
    facts: dict[str, str | int | float] = {"unit": seen.name, "restarts": seen.restarts}
    if seen.active == "failed":
        return error("unit.failed", **facts)
    if seen.active not in ("active", "reloading", "activating") and not seen.once:
        return error("unit.stopped", **facts)
    if seen.restarts > 5:
        return warning("unit.restarts", **facts)
    return ok("unit.inactive" if seen.active == "inactive" else "unit.active", **facts)


def reader(presence: str) -> Finding:
    """presence: value of device.card.presence.Presence."""
    if presence in ("empty", "present"):
        return ok("reader.ready")
    return error("reader.service_down") if presence == "no_service" else error("reader.missing")


def printer(which: str, condition: str) -> Finding:
    """which: "receipt_printer" or "page_printer". condition: value of device.printer.status.Condition."""
    code = f"{which}.{condition}"
    if condition == "ready":
        return ok(code)
    return warning(code) if condition == "paper_low" else error(code)
