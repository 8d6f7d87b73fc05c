"""The Wi-Fi rows: our gate and portal beside Debian's openNDS, in namespaces of the same shape.

Four plazas: one to fill and empty, one crowded with 10,000 phones online, one of the peer, one with clients that stall.
What has a peer or a counterpart is taken in turn.
"""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass

from device.errors import HirobaError
from provisioning.bench.box_wifi import BoxWifi
from provisioning.bench.figures import growth, in_turn, median, spread
from provisioning.bench.network_lab import INTERNET_HOST, NetworkLab, Phone, in_namespace
from provisioning.bench.opennds import OpenNds
from provisioning.bench.rows import Measured
from provisioning.bench.throughput import tcp_mib_per_second, udp_packets_per_second
from provisioning.bench.visitors import PROBE_HOST, LoginLoad, Result, passes, send
from provisioning.bench.wifi_slow import measure_slow
from provisioning.bench.workload import Workload
from provisioning.errors import ProgramMissing

PARALLEL = 16
PEER_PATIENCE = 30.0
"""Seconds the peer has for one answer; ours has as many."""


@dataclass(frozen=True)
class Sizes:
    """How much of everything."""

    phones: int
    alone: int
    rounds: int
    many: int
    thousand: int
    peer_phones: int
    slices: int
    seconds: int

    @classmethod
    def of(cls, workload: Workload) -> Sizes:
        """Full or trial."""
        return cls(
            phones=workload.size(250, 4),
            alone=workload.size(40, 1),
            rounds=workload.size(5, 1),
            many=workload.size(10_000, 50),
            thousand=workload.size(1_000, 20),
            peer_phones=workload.size(24, 0),
            slices=workload.size(15, 1),
            seconds=workload.size(3, 1),
        )


def measure(workload: Workload) -> Iterator[Measured]:
    """See benches.MODULES."""
    sizes = Sizes.of(workload)
    with NetworkLab(sizes.phones) as lab, BoxWifi(lab, workload.folder / "box", sizes.thousand) as box:
        _check_closed(lab)
        _log_all_in(box)  # the first visits load templates; a box does that once in months
        box.end([phone.ip for phone in lab.phones])
        with contextlib.ExitStack() as stack:
            peer, why = _peer(stack, workload, sizes)
            yield from _beside_peer(box, peer, why, sizes)
        yield from _crowded(workload, sizes, box)
        yield _memory(box, sizes)
    yield measure_slow(workload)


def _peer(stack: contextlib.ExitStack, workload: Workload, sizes: Sizes) -> tuple[OpenNds | None, str]:
    """The running peer, or None and why."""
    if not sizes.peer_phones:
        return None, "trial: the peer is not started"
    try:
        lab = stack.enter_context(NetworkLab(sizes.peer_phones))
        return stack.enter_context(OpenNds(lab, workload.folder / "peer", sizes.peer_phones)), ""
    except (HirobaError, OSError, subprocess.SubprocessError) as error:
        return None, f"openNDS cannot run here: {getattr(error, 'facts', {}).get('reason', type(error).__name__)}"


def _check_closed(lab: NetworkLab) -> None:
    """Figures of an open gate would be worth nothing. Raises OSError."""
    if in_namespace(lab.phones[0].space, passes):
        raise OSError("a phone passed before its log-in")


def _beside_peer(box: BoxWifi, peer: OpenNds | None, why: str, sizes: Sizes) -> Iterator[Measured]:
    alone, peer_alone = _alone(box, peer, sizes)
    yield Measured("wifi.login_ms", median(alone), _median(peer_alone), _note(f"one at a time, {spread(alone)}", why))
    redirects = in_turn([lambda: _redirects(box.lab.phones[0], sizes)], sizes.rounds)[0]
    other = _redirects(peer.lab.phones[-1], sizes) if peer else None
    yield Measured("wifi.redirects_per_second", median(redirects), other, _note(f"wrk, {spread(redirects)}", why))
    yield from _together(box, peer, why, sizes)
    _log_all_in(box)
    listed = in_turn([box.list_ms], 20)[0]
    note = f"the answer of the gate's socket with {box.online()} online, {spread(listed)}"
    yield Measured("wifi.list_250_ms", median(listed), peer.list_ms() if peer else None, _note(note, why or _few(peer)))


def _note(*parts: str) -> str:
    return "; ".join(filter(None, parts))


def _few(peer: OpenNds | None) -> str:
    return f"ndsctl json with {len(peer.lab.phones)} phones" if peer else ""


def _median(values: list[float]) -> float | None:
    return median(values) if values else None


def _alone(box: BoxWifi, peer: OpenNds | None, sizes: Sizes) -> tuple[list[float], list[float]]:
    """Milliseconds of log-ins one at a time; the peer's eight in between, since it keeps whom it has let in."""
    ours: list[float] = []
    theirs: list[float] = []
    phones = box.lab.phones
    for turn in range(sizes.rounds):
        ours += _send([phones[n % len(phones)] for n in range(sizes.alone)][: len(phones)], 1).times
        box.end([phone.ip for phone in phones])
        if peer and turn * 2 < sizes.peer_phones // 3:
            theirs += _send(peer.lab.phones[turn * 2 : turn * 2 + 2], 1).times
    return ours, theirs


def _together(box: BoxWifi, peer: OpenNds | None, why: str, sizes: Sizes) -> Iterator[Measured]:
    results = []
    for _ in range(sizes.rounds):
        results.append(_log_all_in(box))
        box.end([phone.ip for phone in box.lab.phones])
    theirs = _send(peer.lab.phones[sizes.peer_phones // 3 :], PARALLEL) if peer else None
    rates = [result.per_second for result in results]
    told = [line for result in results for line in result.why][:1]
    note = f"{PARALLEL} in parallel, {spread(rates)}"
    yield Measured("wifi.logins_per_second", median(rates), theirs.per_second if theirs else None, _note(note, why))
    success = sum(len(r.times) for r in results) / sum(r.tried for r in results)
    tried = f"{sum(r.tried for r in results)} tried" + (f", {theirs.tried} at the peer" if theirs else "")
    yield Measured("wifi.login_success", success, theirs.success if theirs else None, _note(tried, *told, why))


def _log_all_in(box: BoxWifi) -> Result:
    return _send(box.lab.phones, PARALLEL)


def _send(phones: list[Phone], parallel: int) -> Result:
    load = [(phone.space, phone.number) for phone in phones]
    return send(LoginLoad(phones=load, parallel=parallel, patience=PEER_PATIENCE))


def _redirects(phone: Phone, sizes: Sizes) -> float:
    """Probes answered a second, eight connections at a time. Raises ProgramMissing."""
    if not shutil.which("wrk"):
        raise ProgramMissing(program="wrk", package="wrk")
    words = [
        "wrk",
        "-t1",
        "-c8",
        f"-d{sizes.seconds}",
        "-H",
        f"Host: {PROBE_HOST}",
        f"http://{INTERNET_HOST}/generate_204",
    ]
    command = ["ip", "netns", "exec", phone.space, *words]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    line = next(line for line in told.splitlines() if line.startswith("Requests/sec:"))
    return float(line.split()[1])


def _crowded(workload: Workload, sizes: Sizes, box: BoxWifi) -> Iterator[Measured]:
    """The box beside another one with 10,000 phones online, in turn."""
    few = 12
    box.end([phone.ip for phone in box.lab.phones])
    with NetworkLab(few) as lab, BoxWifi(lab, workload.folder / "crowded", few + sizes.many) as crowded:
        crowded.fill(range(few, few + sizes.many))
        box.fill(range(sizes.phones, sizes.phones + 10))
        logins = in_turn([lambda: _login_median(box, few), lambda: _login_median(crowded, few)], sizes.slices)
        small, large = median(logins[0]), median(logins[1])
        note = f"{small:.3g} ms with 10, {large:.3g} ms with {crowded.online()} online"
        yield Measured("wifi.login_growth_10_to_10k", growth(small, large), note=note)
        yield _forwarding(box, crowded, sizes)


def _login_median(box: BoxWifi, count: int) -> float:
    phones = box.lab.phones[:count]
    times = _send(phones, 1).times
    box.end([phone.ip for phone in phones])
    return median(times)


def _forwarding(box: BoxWifi, crowded: BoxWifi, sizes: Sizes) -> Measured:
    """The smaller of two ratios: MiB of one TCP connection, and small packets."""
    spaces = []
    for each in (box, crowded):
        phone = each.lab.phones[0]
        each.fill([phone.number])
        spaces.append((phone.space, each.lab.internet))
    ratios, notes = [], []
    for rate, unit in ((tcp_mib_per_second, "MiB/s"), (udp_packets_per_second, "packets/s of 64 bytes")):
        sides = [lambda pair=pair, rate=rate: rate(*pair, 0.4) for pair in spaces]
        empty, full = (median(values) for values in in_turn(sides, sizes.slices))
        ratios.append(full / empty)
        notes.append(f"{full:,.0f} of {empty:,.0f} {unit}")
    return Measured("wifi.forwarding_kept_10k", min(ratios), note="; ".join(notes))


def _memory(box: BoxWifi, sizes: Sizes) -> Measured:
    """Gate, portal and nginx with their workers, after all of the above and with 1,000 phones online."""
    box.fill(range(sizes.thousand))
    return Measured("wifi.pss_mib", box.pss(), note=f"gate, portal, nginx and their workers, {box.online()} online")
