"""ESC/POS written and read back; real-time commands never hide in a picture."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from device.printer import escpos
from device.printer.escpos_stream import (
    AskInOrder,
    AskNow,
    AutomaticStatus,
    ClearBuffers,
    Cut,
    Init,
    Raster,
    RealTimeScanner,
    Recover,
    Skipped,
    Tokeniser,
)

ROW = 72
NASTY = st.binary(max_size=40) | st.lists(
    st.sampled_from([b"\x10", b"\x04", b"\x05", b"\x14\x08", b"\x01", b"\0"])
).map(b"".join)


@given(NASTY, st.integers(1, 700))
def test_a_page_read_back_is_the_picture_up_to_the_nudged_dots(ink: bytes, height: int) -> None:
    bits = (ink + b"\0" * ROW * height)[: ROW * height]
    tokens = Tokeniser().feed(escpos.page(bits, ROW * 8, height))
    assert tokens[:2] == [Init(), AutomaticStatus(0)]
    assert tokens[-2:] == [Cut(), AskInOrder(1)]
    pictures = [t for t in tokens[2:-2] if isinstance(t, Raster)]
    assert len(pictures) == len(tokens) - 4
    assert sum(p.rows for p in pictures) == height
    read = b"".join(p.bits for p in pictures)
    assert all(a == b or (a, b) == (0x10, 0x11) for a, b in zip(bits, read, strict=True))


@given(NASTY, st.integers(1, 300))
def test_no_page_holds_a_real_time_command(ink: bytes, height: int) -> None:
    bits = (b"\0" * (ROW * height) + ink)[-ROW * height :]
    assert RealTimeScanner().feed(escpos.page(bits, ROW * 8, height)) == []


def test_a_clean_picture_is_sent_dot_for_dot() -> None:
    assert escpos.without_real_time(b"\x10\x06\x11\x04\x10") == b"\x10\x06\x11\x04\x10"


def test_every_real_time_command_is_found_within_a_picture() -> None:
    stream = b"\x1dv0\0\x48\0\x01\0" + escpos.ask_now(4) + escpos.CLEAR + bytes(20)
    assert [c for c, _ in RealTimeScanner().feed(stream)] == [AskNow(4), Recover(2), ClearBuffers()]


@given(st.binary(max_size=200), st.lists(st.integers(1, 7)))
def test_reading_in_pieces_is_reading_at_once(stream: bytes, cuts: list[int]) -> None:
    stream += escpos.CLEAR + escpos.ask_now(1)
    pieces, at = [], 0
    for size in cuts:
        pieces.append(stream[at : at + size])
        at += size
    pieces.append(stream[at:])
    whole, parts = Tokeniser(), Tokeniser()
    assert whole.feed(stream) == [t for p in pieces for t in parts.feed(p)]
    assert whole.holds == parts.holds
    scan, scans = RealTimeScanner(), RealTimeScanner()
    assert [c for c, _ in scan.feed(stream)] == [c for p in pieces for c, _ in scans.feed(p)]


def test_the_place_of_a_command_is_counted_in_its_own_piece() -> None:
    scanner = RealTimeScanner()
    assert scanner.feed(b"ab\x10\x05") == []
    assert scanner.feed(b"\x02rest") == [(Recover(2), 1)]


def test_a_raster_of_absurd_size_is_skipped() -> None:
    assert isinstance(Tokeniser().feed(b"\x1dv0\0\xff\xff\xff\xff")[0], Skipped)
