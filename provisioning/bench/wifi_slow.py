"""A log-in while a thousand clients stall, in the clear and inside TLS, from one phone and from many."""

from __future__ import annotations

from collections.abc import Sequence

from provisioning.bench.box_wifi import PORT, TLS_PORT, BoxWifi
from provisioning.bench.figures import median
from provisioning.bench.network_lab import GATEWAY, NetworkLab, Phone
from provisioning.bench.rows import Measured
from provisioning.bench.slow_clients import HALF_A_HEAD, SlowClients, client_hello
from provisioning.bench.visitors import LoginLoad, send
from provisioning.bench.workload import Workload

MANY, VISITORS = 50, 10
"""Phones that stall together, and phones that log in meanwhile."""


def measure_slow(workload: Workload) -> Measured:
    """The slowest of the four medians."""
    count = workload.size(1_000, 20)
    with NetworkLab(MANY + VISITORS) as lab, BoxWifi(lab, workload.folder / "slow", MANY + VISITORS, tls=True) as box:
        slow, visitors = lab.phones[:MANY], lab.phones[MANY:]
        _log_in(box, visitors)  # the first visits load templates
        times = {
            f"{kind} from {len(phones)}": _under(box, SlowClients(phones, count, port, said), visitors)
            for kind, port, said in (("half heads", PORT, HALF_A_HEAD), ("inside TLS", TLS_PORT, client_hello()))
            for phones in (slow[:1], slow)
        }
    told = ", ".join(f"{name} {seconds:.3f} s" for name, seconds in times.items())
    return Measured(
        "wifi.login_under_1000_slow_s", max(times.values()), note=f"{count} clients, log-in over TLS: {told}"
    )


def _under(box: BoxWifi, slow: SlowClients, visitors: Sequence[Phone]) -> float:
    with slow:
        return _log_in(box, visitors)


def _log_in(box: BoxWifi, visitors: Sequence[Phone]) -> float:
    """Seconds of a log-in, one phone after the other. Raises OSError when one did not come through."""
    phones = [(phone.space, phone.number) for phone in visitors]
    result = send(LoginLoad(phones=phones, parallel=1, patience=30.0, portal=GATEWAY))
    if result.success < 1:
        raise OSError(f"{len(result.times)} of {result.tried} log-ins came through: {result.why}")
    box.end([phone.ip for phone in visitors])
    return median(result.times) / 1000
