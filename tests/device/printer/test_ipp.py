"""IPP messages, written and read."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.printer.ipp import Attribute, Group, IppMessage, NotIpp, Operation, Tag, Value, attribute, decode, encode

INT = st.integers(-(2**31), 2**31 - 1)
NAMES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)
VALUES: dict[int, st.SearchStrategy[Value]] = {
    Tag.INTEGER: INT,
    Tag.ENUM: INT,
    Tag.BOOLEAN: st.booleans(),
    Tag.RANGE: st.tuples(INT, INT),
    Tag.KEYWORD: st.text(st.characters(codec="utf-8"), max_size=30),
    Tag.NAME: st.text(st.characters(codec="utf-8"), max_size=30),
    Tag.DATE_TIME: st.binary(min_size=11, max_size=11),
}


@st.composite
def attributes(draw: st.DrawFn) -> Attribute:
    tag = draw(st.sampled_from(sorted(VALUES)))
    return Attribute(draw(NAMES), tag, tuple(draw(st.lists(VALUES[tag], min_size=1, max_size=4))))


GROUPS = st.builds(
    Group, st.sampled_from([Tag.OPERATION, Tag.JOB, Tag.PRINTER]), st.lists(attributes(), max_size=4).map(tuple)
)
MESSAGES = st.builds(
    IppMessage,
    st.integers(0, 0x7FFF),
    st.integers(0, 2**31 - 1),
    st.lists(GROUPS, max_size=4).map(tuple),
    st.binary(max_size=50),
)


@given(MESSAGES)
def test_what_is_written_reads_back(message: IppMessage) -> None:
    assert decode(encode(message)) == message


@given(st.binary(max_size=200))
def test_hostile_bytes_are_not_ipp_and_nothing_worse(raw: bytes) -> None:
    with contextlib.suppress(NotIpp):
        read = decode(b"\x02\x00\x00\x0b\x00\x00\x00\x01" + raw)
        assert (read.code, read.request_id) == (0x000B, 1)


@given(MESSAGES, st.data())
def test_a_cut_off_message_is_not_ipp(message: IppMessage, data: st.DataObject) -> None:
    raw = encode(IppMessage(message.code, message.request_id, message.groups))
    with pytest.raises(NotIpp):
        decode(raw[: data.draw(st.integers(0, len(raw) - 1))])


def test_the_bytes_are_those_of_the_standard() -> None:
    asked = Group(Tag.OPERATION, (attribute("attributes-charset", Tag.CHARSET, "utf-8"),))
    raw = encode(IppMessage(Operation.GET_PRINTER_ATTRIBUTES, 1, (asked,)))
    assert raw == b"\x02\x00\x00\x0b\0\0\0\x01\x01\x47\x00\x12attributes-charset\x00\x05utf-8\x03"


def test_several_values_of_one_attribute_stay_together_in_order() -> None:
    group = Group(Tag.PRINTER, (attribute("printer-state-reasons", Tag.KEYWORD, "media-low", "toner-low"),))
    read = decode(encode(IppMessage(0, 1, (group,)))).group(Tag.PRINTER)
    assert read.all("printer-state-reasons") == ("media-low", "toner-low")
    assert read.first("nothing-such") is None


def test_a_member_of_a_collection_does_not_end_the_reading() -> None:
    raw = b"\x02\0\0\0\0\0\0\x01\x04\x34\0\x09media-col\0\0\x4a\0\0\0\x01x\x21\0\0\0\x04\0\0\0\x05\x37\0\0\0\0\x03"
    assert decode(raw).group(Tag.PRINTER).attributes[0].name == "media-col"
