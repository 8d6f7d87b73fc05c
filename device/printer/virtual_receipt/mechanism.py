"""The print mechanism: a receive buffer, and a thread that prints from it, row by row, onto a strip of paper.

What cannot be printed stays in the buffer until paper is back, as in the real one (docs/sources.md#receipt-status);
only a "clear" command empties it. Files: receipt-0001.png … at each cut.
"""

from __future__ import annotations

import itertools
import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path

from device.printer.escpos_status import ANSWERS, in_order_answer
from device.printer.escpos_stream import (
    AskInOrder,
    AskNow,
    ClearBuffers,
    Cut,
    Feed,
    Raster,
    RealTime,
    Recover,
    Token,
    Tokeniser,
)
from device.printer.picture import png_of_bits
from device.printer.status import Condition
from device.printer.virtual_faults import read_state, replace_file

STRIDE = 72
"""Bytes in a row: 576 dots, 72 mm at 203 dpi."""
ROWS_AT_ONCE = 24
CLEARED = b"\x37\x25\x00"
"""The answer to DLE DC4 8."""
_POLL_SECONDS = 0.02

Answer = Callable[[bytes], None]


class Mechanism:
    """``receive`` takes bytes as they arrive; ``start`` and ``stop`` switch the thread.

    dots_per_second: a real one makes about 2,000. on_rows(rows of this strip) is called as the paper moves, for those
    who want something to happen in the middle of a receipt.
    """

    def __init__(
        self, folder: Path, dots_per_second: int = 8000, on_rows: Callable[[int], object] | None = None
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._seconds_per_dot = 1 / dots_per_second
        self._on_rows = on_rows or (lambda _: None)
        self._numbers = itertools.count(1 + len(list(folder.glob("receipt-????.png"))))
        self._tokeniser = Tokeniser()
        self._buffer: deque[tuple[Token, Answer]] = deque()
        self._cleared = 0
        self._error = False  # a cover opened in the middle of printing: stays until the host says how to go on
        self._strip = bytearray()
        self._changed = threading.Condition()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._work, name="receipt", daemon=True)

    @property
    def condition(self) -> Condition:
        """What the state file says now, or a fault not yet recovered from."""
        told = read_state(self._folder).condition
        return Condition.FAULT if self._error and told.can_print else told

    def start(self) -> None:
        """Switch on."""
        self._thread.start()

    def stop(self) -> None:
        """Switch off; what stands in the buffer is lost."""
        self._stopping.set()
        with self._changed:
            self._changed.notify_all()
        if self._thread.is_alive():
            self._thread.join(5)

    def receive(self, piece: bytes, commands: list[tuple[RealTime, int]], answer: Answer) -> None:
        """Bytes from the host, and the real-time commands found in them with the place where each ends."""
        with self._changed:
            done = 0
            for command, end in commands:
                self._take(piece[done:end], answer)
                self._execute(command, answer)
                done = end
            self._take(piece[done:], answer)
            self._changed.notify_all()

    def _take(self, piece: bytes, answer: Answer) -> None:
        self._buffer.extend((token, answer) for token in self._tokeniser.feed(piece))

    def _execute(self, command: RealTime, answer: Answer) -> None:
        """A real-time command, at once, whatever the thread does."""
        match command:
            case AskNow(n):
                answered = ANSWERS.get(self.condition, ANSWERS[Condition.FAULT]).get(n)
                if answered is not None:
                    answer(bytes([answered]))
            case Recover(n) if n in (1, 2) and self._error and self.condition is Condition.FAULT:
                self._error = False
                if n == 2:
                    self._clear()
            case ClearBuffers():
                self._clear()
                answer(CLEARED)

    def _clear(self) -> None:
        self._buffer.clear()
        self._tokeniser.clear()
        self._cleared += 1

    def _work(self) -> None:
        while not self._stopping.is_set():
            with self._changed:
                self._changed.wait_for(lambda: self._buffer or self._stopping.is_set())
                if self._stopping.is_set():
                    return
                (token, answer), generation = self._buffer.popleft(), self._cleared
            if self._ready(generation):
                self._print(token, answer, generation)

    def _ready(self, generation: int) -> bool:
        """Wait until paper can move; False when the buffer was cleared or the printer switched off meanwhile."""
        while not self.condition.can_print:
            if self._stopping.wait(_POLL_SECONDS) or self._cleared != generation:
                return False
        return self._cleared == generation

    def _print(self, token: Token, answer: Answer, generation: int) -> None:
        match token:
            case Raster(stride, rows, bits):
                self._move([bits[i * stride : (i + 1) * stride] for i in range(rows)], generation)
            case Feed(dots):
                self._move([b""] * dots, generation)
            case Cut():
                self._cut()
            case AskInOrder(1):
                answer(bytes([in_order_answer(self.condition)]))

    def _move(self, rows: list[bytes], generation: int) -> None:
        """Print rows, a few at a time; the state of the printer is looked at between them."""
        for top in range(0, len(rows), ROWS_AT_ONCE):
            if not self._ready(generation):
                return
            few = rows[top : top + ROWS_AT_ONCE]
            self._strip += b"".join(row[:STRIDE].ljust(STRIDE, b"\0") for row in few)
            self._stopping.wait(len(few) * self._seconds_per_dot)
            self._on_rows(len(self._strip) // STRIDE)
            self._error = self._error or read_state(self._folder).condition is Condition.COVER_OPEN

    def _cut(self) -> None:
        """Cut: write the strip as a picture, unless it is blank."""
        strip, self._strip = bytes(self._strip), bytearray()
        if any(strip):
            picture = png_of_bits(strip, STRIDE * 8, len(strip) // STRIDE)
            replace_file(self._folder / f"receipt-{next(self._numbers):04d}.png", picture)
