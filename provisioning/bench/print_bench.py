"""The print rows: a receipt drawn and encoded, beside python-escpos; a job handed to an IPP printer on loopback."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial
from itertools import count

from captive_portal.portal.languages import read_catalogues
from device.printer import escpos
from device.printer.drivers import open_page_printer
from device.printer.raster import ReceiptRenderer
from device.printer.settings import PagePrinterSettings
from device.printer.status import PagePrinter, PrintJob, Receipt, ReceiptLine, ReceiptQr
from device.printer.virtual_faults import PrinterState, write_state
from device.printer.virtual_page.server import VirtualPagePrinter
from provisioning.bench.escpos_peer import image_job
from provisioning.bench.figures import in_turn, median, milliseconds, spread
from provisioning.bench.rows import Measured
from provisioning.bench.synthetic_issuer import SyntheticIssuer
from provisioning.bench.workload import Workload


def measure(workload: Workload) -> Iterator[Measured]:
    """See benches.MODULES."""
    yield from _receipt(workload.size(30, 2))
    yield _languages(workload.size(20, 2))
    yield _submit(workload)


def receipt(number: int) -> Receipt:
    """25 lines and a QR code; no two receipts are alike, so that nothing is answered from memory alone."""
    lines = [ReceiptLine(f"住民票の写し（世帯全員）{n}", right=f"{number + n}円") for n in range(24)]
    return (ReceiptLine("ひろば市　領収書", align="center", bold=True), *lines, ReceiptQr(f"HIROBA1:R8-{number:06d}"))


def _receipt(runs: int) -> Iterator[Measured]:
    renderer, numbers = ReceiptRenderer(), iter(range(1000, 1_000_000))

    def ours() -> float:
        wanted = receipt(next(numbers))

        def build() -> None:
            drawn = renderer.render(wanted)
            escpos.page(drawn.bits, drawn.width, drawn.height)

        return milliseconds(build)

    def theirs() -> float:
        drawn = renderer.render(receipt(next(numbers)))
        return milliseconds(image_job(drawn.bits, drawn.width, drawn.height))

    ours()
    built, image = in_turn([ours, theirs], runs)
    note = f"25 lines and a QR code drawn and encoded, {spread(built)}; theirs: the finished picture encoded"
    yield Measured("receipt.build_ms", median(built), median(image), note)
    yield Measured(
        "receipt.over_escpos", median(built) / median(image), note="drawing and encoding over encoding alone"
    )


def _languages(runs: int) -> Measured:
    """The slowest language: a receipt of 25 lines of its words, once its fonts are open."""
    renderer = ReceiptRenderer()
    taken = {}
    for language, words in read_catalogues().items():
        told = [words.plain("sheet_until", day=f"2027-02-{day:02d}") for day in range(1, 25)]
        lines = tuple(ReceiptLine(line, right="R8", language=language) for line in (words.plain("sheet_use"), *told))
        renderer.render(lines)
        taken[language] = median([milliseconds(partial(_draw, renderer, lines)) for _ in range(runs)])
    slowest = max(taken, key=lambda language: taken[language])
    return Measured("receipt.languages_ms", taken[slowest], note=f"25 lines drawn and encoded; slowest of 8: {slowest}")


def _draw(renderer: ReceiptRenderer, lines: Receipt) -> None:
    drawn = renderer.render(lines)
    escpos.page(drawn.bits, drawn.width, drawn.height)


def _submit(workload: Workload) -> Measured:
    folder = workload.folder / "page"
    folder.mkdir()
    write_state(folder, PrinterState(seconds_per_page=0.0))
    with SyntheticIssuer(workload.folder / "issuer", 200) as issuing:
        pdf = issuing.certificate()
    with VirtualPagePrinter(folder) as virtual:
        driver = open_page_printer(PagePrinterSettings(uri=virtual.uri))
        numbers = count()

        def submit() -> float:
            began = time.perf_counter()
            job = driver.create(f"bench-{next(numbers)}")
            driver.send(job, pdf)
            took = (time.perf_counter() - began) * 1000
            _await(driver, job)  # the virtual printer draws in this process: not while the next one is timed
            return took

        whole = in_turn([submit], workload.size(30, 2))[0]
    note = f"Create-Job and Send-Document of one page, {spread(whole)}"
    return Measured("ipp.submit_ms", median(whole), note=note)


def _await(driver: PagePrinter, job: PrintJob) -> None:
    while (told := driver.progress(job)) is not None and not told.state.final:
        time.sleep(0.01)
