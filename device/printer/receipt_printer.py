"""The network ESC/POS receipt printer. Only importer of python-escpos, and of it only the transport.

A write that succeeds proves nothing (docs/sources.md#receipt-status): the printer is asked before, and after the data
it answers a question that stands in order behind them; only that answer means PRINTED. What goes wrong in
between ends with the buffers cleared, so that the next visitor never gets an old receipt (N5).
"""

from __future__ import annotations

import os
import shutil
import socket
import struct
import threading
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol

from device.clock import Clock, SystemClock
from device.printer import escpos
from device.printer.escpos_status import QUESTIONS, REAL_TIME_FIXED, REAL_TIME_MASK, decode, is_in_order_answer
from device.printer.settings import ReceiptPrinterSettings
from device.printer.status import Condition, Receipt, ReceiptOutcome

if TYPE_CHECKING:
    from device.printer.raster import Raster

MAX_PRINT_SECONDS = 20.0
"""Longest a receipt may take while the printer says that all is well."""
POLL_SECONDS = 0.1
"""How often the printer is asked while the end is awaited."""
CLEAR_SECONDS = 0.3
"""How long the answer to "clear" is awaited; not every printer has one."""


class Renderer(Protocol):
    """Receipt in, dots out (raster.ReceiptRenderer)."""

    def render(self, receipt: Receipt) -> Raster:
        """The receipt drawn for this printer's width."""
        ...


class NetworkReceiptPrinter:
    """A ReceiptPrinter on raw TCP. One conversation at a time; each has its own connection."""

    def __init__(
        self, settings: ReceiptPrinterSettings, renderer: Renderer | None = None, clock: Clock | None = None
    ) -> None:
        """Without a renderer, one with the standard fonts is made for the first receipt."""
        self._settings = settings
        self._renderer = renderer
        self._clock = clock or SystemClock()
        self._lock = threading.Lock()
        # An earlier process may have left half a picture in the buffer, or on the paper: nobody else may get it.
        self._unclean = self._torn = True

    def condition(self) -> Condition:
        """See ReceiptPrinter."""
        with self._lock:
            try:
                with _Line(self._settings, self._clock) as line:
                    return self._look(line)
            except OSError:
                return Condition.SILENT

    def print(self, receipt: Receipt) -> ReceiptOutcome:
        """See ReceiptPrinter. Raises GlyphMissing and FontMissing before anything is sent."""
        raster = self._drawn(receipt)
        stream = escpos.page(raster.bits, raster.width, raster.height)
        with self._lock:
            try:
                with _Line(self._settings, self._clock) as line:
                    return self._deliver(line, stream) if self._prepared(line) else ReceiptOutcome.NOT_PRINTED
            except OSError:
                return ReceiptOutcome.NOT_PRINTED

    def _drawn(self, receipt: Receipt) -> Raster:
        if self._renderer is None:
            from device.printer.raster import ReceiptRenderer

            self._renderer = ReceiptRenderer(self._settings.width_dots)
        return self._renderer.render(receipt)

    def _prepared(self, line: _Line) -> bool:
        """Whether the printer is ready and empty; nothing of this receipt has been sent yet."""
        if not self._look(line).can_print:
            return False
        if self._torn:
            line.send(escpos.FEED_AND_CUT)
        self._torn = False
        return True

    def _look(self, line: _Line) -> Condition:
        """The condition, with what an earlier failure left behind cleared; some faults end only by being cleared."""
        if self._unclean:
            line.clear()
        found = line.condition()
        self._unclean = self._unclean and not found.can_print
        return found

    def _deliver(self, line: _Line, stream: bytes) -> ReceiptOutcome:
        """Send, and wait for what the printer says. Never raises."""
        line.answered = False
        try:
            line.send(stream)
            seen = self._await_end(line)
        except OSError:
            seen = Condition.SILENT
        if line.answered:
            return ReceiptOutcome.PRINTED
        return self._take_back(line, seen)

    def _await_end(self, line: _Line) -> Condition:
        """Wait for the answer behind the data, or for a fault; says the condition last seen."""
        deadline = self._clock.monotonic() + MAX_PRINT_SECONDS
        seen = Condition.READY
        while seen.can_print and self._clock.monotonic() < deadline:
            if line.listen(POLL_SECONDS):
                break
            seen = line.condition()
        return seen

    def _take_back(self, line: _Line, seen: Condition) -> ReceiptOutcome:
        """Clear what the printer still holds. Only a fault it told itself makes sure that the end never came."""
        self._unclean = self._torn = True
        line.drop()
        try:
            with _Line(self._settings, self._clock) as again:
                again.clear()
        except OSError:
            return ReceiptOutcome.UNKNOWN
        told = not seen.can_print and seen is not Condition.SILENT
        return ReceiptOutcome.NOT_PRINTED if told else ReceiptOutcome.UNKNOWN


@cache
def _transport() -> tuple[Any, type[Exception]]:
    """python-escpos's Network and what its ``open`` raises. Its import leaves a folder in /tmp, which is taken away."""
    from escpos import capabilities
    from escpos.exceptions import DeviceNotFoundError
    from escpos.printer import Network

    if "ESCPOS_CAPABILITIES_PICKLE_DIR" not in os.environ:
        shutil.rmtree(capabilities.pickle_dir, ignore_errors=True)
    return Network, DeviceNotFoundError


class _Line:
    """One connection to the printer, carried by python-escpos. All methods raise OSError when the cable fails."""

    def __init__(self, settings: ReceiptPrinterSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._network: Any = None
        self.answered = False

    def __enter__(self) -> _Line:
        network, not_found = _transport()
        self._network = network(self._settings.host, self._settings.port, timeout=self._settings.timeout_seconds)
        try:
            self._network.open()
        except not_found as error:
            raise ConnectionError from error
        return self

    def __exit__(self, *_: object) -> None:
        self._network.close()

    def drop(self) -> None:
        """End the connection at once and forget what the operating system has not sent yet."""
        self._network.device.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._network.close()

    def send(self, stream: bytes) -> None:
        """Write all of ``stream`` to the connection."""
        self._network.device.settimeout(self._settings.timeout_seconds)
        self._network._raw(stream)

    def condition(self) -> Condition:
        """Ask DLE EOT 1-4 now; a question without an answer in time is SILENT."""
        answers: dict[int, int] = {}
        for question in QUESTIONS:
            self.send(escpos.ask_now(question))
            answer = self._answer_now()
            if answer is None:
                break
            answers[question] = answer
        return decode(answers)

    def _answer_now(self) -> int | None:
        """The next real-time answer; answers in order that come first are noted."""
        deadline = self._clock.monotonic() + self._settings.timeout_seconds
        while (left := deadline - self._clock.monotonic()) > 0:
            byte = self._byte(left)
            if byte is None:
                return None
            if byte & REAL_TIME_MASK == REAL_TIME_FIXED:
                return byte
            self._note(byte)
        return None

    def listen(self, seconds: float) -> bool:
        """Whether the answer in order came, waiting up to ``seconds`` for it."""
        byte = None if self.answered else self._byte(seconds)
        if byte is not None:
            self._note(byte)
        return self.answered

    def clear(self) -> None:
        """Empty the printer's buffers and let its answer pass."""
        self.send(escpos.CLEAR)
        for _ in range(3):  # 37h 25h 00h
            if self._byte(CLEAR_SECONDS) is None:
                break

    def _note(self, byte: int) -> None:
        self.answered = self.answered or is_in_order_answer(byte)

    def _byte(self, seconds: float) -> int | None:
        """One byte from the printer, or None after ``seconds`` of silence. Raises ConnectionError at its end."""
        self._network.device.settimeout(max(seconds, 0.001))
        try:
            got = self._network.device.recv(1)
        except TimeoutError:
            return None
        if not got:
            raise ConnectionError
        return int(got[0])
