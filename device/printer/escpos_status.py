"""What a receipt printer's status bytes mean: one table, read both ways.

Source: Epson DLE EOT n (n = 1 printer, 2 offline cause, 3 error cause, 4 paper sensor); docs/sources.md#receipt-status.
"""

from __future__ import annotations

from collections.abc import Mapping

from device.printer.status import Condition

REAL_TIME_MASK, REAL_TIME_FIXED = 0x93, 0x12
"""Bits 0, 1, 4, 7 of every DLE EOT answer are 0, 1, 1, 0."""
IN_ORDER_MASK, IN_ORDER_FIXED = 0x90, 0x00
"""Bits 4 and 7 of every GS r answer are 0, so that the two can be told apart."""

QUESTIONS = (1, 2, 3, 4)

# (question, mask) -> condition; the first that matches wins, the cause before the mere "off-line".
MEANING: tuple[tuple[int, int, Condition], ...] = (
    (2, 0x04, Condition.COVER_OPEN),
    (4, 0x60, Condition.PAPER_OUT),
    (2, 0x20, Condition.PAPER_OUT),
    (3, 0x08, Condition.JAM),  # the cutter is stuck
    (3, 0x64, Condition.FAULT),  # recoverable (bit 2), unrecoverable (5), automatically recoverable (6)
    (2, 0x40, Condition.FAULT),
    (1, 0x08, Condition.OFFLINE),
    (4, 0x0C, Condition.PAPER_LOW),
)

_OK = {1: 0x12, 2: 0x12, 3: 0x12, 4: 0x12}
ANSWERS: Mapping[Condition, Mapping[int, int]] = {
    Condition.READY: _OK,
    Condition.PAPER_LOW: _OK | {4: 0x1E},
    Condition.PAPER_OUT: _OK | {1: 0x1A, 2: 0x32, 4: 0x7E},
    Condition.COVER_OPEN: _OK | {1: 0x1A, 2: 0x16},
    Condition.OFFLINE: _OK | {1: 0x1A},
    Condition.JAM: _OK | {1: 0x1A, 2: 0x52, 3: 0x1A},
    Condition.FAULT: _OK | {1: 0x1A, 2: 0x52, 3: 0x16},
}
"""What a printer in each condition answers to DLE EOT 1-4; a silent one answers nothing."""


def decode(answers: Mapping[int, int]) -> Condition:
    """The condition told by the answer bytes to DLE EOT 1-4, by question. A missing answer is SILENT, never "ready"."""
    if any(n not in answers for n in QUESTIONS):
        return Condition.SILENT
    if any(answers[n] & REAL_TIME_MASK != REAL_TIME_FIXED for n in QUESTIONS):
        return Condition.FAULT
    return next((meaning for n, mask, meaning in MEANING if answers[n] & mask), Condition.READY)


def is_in_order_answer(byte: int) -> bool:
    """Whether ``byte`` answers GS r rather than DLE EOT."""
    return byte & IN_ORDER_MASK == IN_ORDER_FIXED


def in_order_answer(condition: Condition) -> int:
    """What a printer answers to GS r 1: the paper sensor, near end in bits 0-1, end in bits 2-3."""
    return {Condition.PAPER_LOW: 0x03, Condition.PAPER_OUT: 0x0F}.get(condition, 0x00)
