"""The issue rows: a page with fresh data, and how many a second by two workers over HTTP.

What a page costs: order accepted before; then the register read again, eligibility, every glyph checked, the page drawn
(``document``), its text and marks read back by the kiosk's gate. Every page is another household's than the one before,
four people each. The peer draws the same words without any of that.
"""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from kiosk.issuer.client import HttpIssuerClient
from kiosk.issuer.connection import LOCAL_SOCKET
from provisioning.bench.figures import growth, in_turn, median, milliseconds, spread
from provisioning.bench.processes import cpu_seconds, stop
from provisioning.bench.rows import Measured
from provisioning.bench.synthetic_issuer import CITY, MANY, SyntheticIssuer, names_of
from provisioning.bench.weasyprint_peer import page_job
from provisioning.bench.workload import Workload
from provisioning.demo.processes import answers_locally
from provisioning.errors import DemoNotReady

WORKERS = 2
CLIENTS = 4
SITE = """
[box]
name = "bench"
[city]
name_ja = "{name}"
name_en = "Mihon City"
telephone = "06-0000-0000"
[issuer]
trust = "{trust}"
mayor = "見本市長　見本　太郎"
municipality_code = "27999"
seal_name = "TEST bench"
requests_per_minute = {many}
orders_per_hour = 0
"""


def measure(workload: Workload) -> Iterator[Measured]:
    """See benches.MODULES."""
    with SyntheticIssuer(workload.folder / "small", workload.size(1_000, 200)) as issuing:
        yield from _page(issuing, workload.size(40, 2))
        yield _per_second(issuing, workload.size(6, 1))
        sizes = workload.size(1_000, 200), workload.size(100_000, 400)
        with SyntheticIssuer(workload.folder / "large", sizes[1]) as city:
            small, large = (median(v) for v in in_turn([_timed(issuing), _timed(city)], workload.size(40, 2)))
    note = f"{small:.3g} ms with {sizes[0]:,}, {large:.3g} ms with {sizes[1]:,} residents in the register"
    yield Measured("issue.growth_1k_to_100k", growth(small, large), note=note)


def _timed(issuing: SyntheticIssuer) -> Callable[[], float]:
    def once() -> float:
        request = issuing.accepted_order()
        return milliseconds(lambda: issuing.check_document(request))

    once()
    return once


def _page(issuing: SyntheticIssuer, runs: int) -> Iterator[Measured]:
    theirs, why = page_job(names_of(issuing.resident()).values())
    ours = _timed(issuing)
    if theirs is None:
        pages, peer = in_turn([ours], runs)[0], None
    else:
        job = theirs
        job()
        pages, peers = in_turn([ours, lambda: milliseconds(job)], runs)
        peer = median(peers)
    value = median(pages)
    yield Measured("issue.page_ms", value, peer, f"{spread(pages)}; {why}".rstrip("; "))
    yield Measured("issue.over_weasyprint", value / peer if peer else None, note=why)


def _per_second(issuing: SyntheticIssuer, seconds: int) -> Measured:
    """Documents a second from ``hiroba run issuer`` with two workers, over HTTP, orders included in the time."""
    socket = issuing.folder / LOCAL_SOCKET
    site = issuing.folder / "site.toml"
    site.write_text(SITE.format(name=CITY.name_ja, trust=issuing.settings.trust, many=MANY), "utf-8")
    words = ["run", "issuer", "--workers", str(WORKERS), "--config", str(site), "--state", str(issuing.folder)]
    with (issuing.folder / "issuer.log").open("wb") as log:
        command = [sys.executable, "-m", "provisioning", *words]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    here = issuing.issuer
    try:
        _await(process, socket, site)
        issuing.issuer = HttpIssuerClient(f"unix:{socket}", 20.0)
        for _ in range(WORKERS * CLIENTS):
            issuing.certificate()
        before, own = cpu_seconds([process.pid]), time.process_time()
        runs = [_run(issuing, seconds / 3) for _ in range(3)]
        done = sum(papers for papers, _ in runs)
        cost, own = (cpu_seconds([process.pid]) - before) * 1000 / done, (time.process_time() - own) * 1000 / done
    finally:
        issuing.issuer = here
        stop([process])
    rates = [papers / elapsed for papers, elapsed in runs]
    note = (
        f"order and document over HTTP, {CLIENTS} kiosks at once, {spread(rates)};"
        f" CPU of each: issuer {cost:.3g} ms, and on the same cores the kiosks {own:.3g} ms"
    )
    return Measured("issue.per_second", median(rates), note=note)


def _await(process: subprocess.Popen[bytes], socket: Path, site: Path) -> None:
    deadline = time.monotonic() + 30
    while not answers_locally(socket):
        if process.poll() is not None or time.monotonic() > deadline:
            raise DemoNotReady(process="issuer", reason="it does not answer", log=site)
        time.sleep(0.02)


def _run(issuing: SyntheticIssuer, seconds: float) -> tuple[int, float]:
    """Papers, and the seconds they took."""
    done: list[int] = []
    until = time.perf_counter() + seconds

    def work() -> None:
        while time.perf_counter() < until:
            issuing.certificate()
            done.append(1)

    threads = [threading.Thread(target=work) for _ in range(CLIENTS)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return len(done), time.perf_counter() - began
