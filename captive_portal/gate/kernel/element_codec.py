"""Elements of the table's sets encoded as netlink attributes, and decoded from them. Pure.

Numbers are of linux/netfilter/nf_tables.h, named beside them; fields of a key are padded to four bytes, names of
interfaces to sixteen, and marks are in the machine's byte order.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from captive_portal.gate.kernel import netlink
from captive_portal.gate.kernel.netlink import NESTED, attribute
from captive_portal.gate.kernel.reconcile import MAPS, Element, ElementName, ElementReading, Plan
from captive_portal.gate.kernel.ruleset import table_of

NEW, GET, DELETE = (10 << 8 | number for number in (12, 13, 14))
"""NFNL_SUBSYS_NFTABLES, NFT_MSG_NEWSETELEM, GETSETELEM, DELSETELEM."""
FAMILIES = {"inet": 1, "arp": 3}
"""NFPROTO_INET, NFPROTO_ARP."""
ELEMENTS, LIST_ELEM = 3 | NESTED, 1 | NESTED
KEY, DATA, TIMEOUT, EXPIRATION, EXPRESSION, EXPRESSIONS = 1, 2, 4, 5, 7, 11
"""NFTA_SET_ELEM_*."""
VALUE = 1
"""NFTA_DATA_VALUE."""
MAX_ELEMENTS = 256
"""Elements in one message; the length of an attribute has sixteen bits."""


class KeyCodec(NamedTuple):
    """Encoder and decoder of a set's keys."""

    write: Callable[[str], bytes]
    read: Callable[[bytes], str]


def get_all_body(kind: str) -> bytes:
    """The body of a request for all elements of a set."""
    return _head(kind)


def get_one_body(name: ElementName) -> bytes:
    """The body of a request for one element."""
    return _head(name.set) + attribute(ELEMENTS, _element(name, b""))


def changes(todo: Plan) -> list[tuple[int, bytes]]:
    """(message type, body) of one transaction. An element to be removed is first added (no change if it is there), so
    that one that timed out a moment ago does not fail it.
    """
    forever = [(name, element._replace(seconds=None)) for name, element in todo.remove]
    bare = [(name, Element()) for name, _ in todo.remove]
    steps = ((NEW, forever), (DELETE, bare), (NEW, todo.add))
    return [(kind, body) for kind, elements in steps for body in _bodies(elements)]


def delete_steps(names: Sequence[ElementName]) -> list[tuple[int, bytes]]:
    """(message type, body) that remove elements that are there, of maps too."""
    return [(DELETE, _head(name.set) + attribute(ELEMENTS, _element(name, b""))) for name in names]


def readings(kind: str, body: bytes) -> Iterator[tuple[ElementName, ElementReading]]:
    """The elements in the body of one answer."""
    read = KEYS[kind].read
    for _, element in netlink.attributes(dict(netlink.attributes(body[4:])).get(3, b"")):
        facts = dict(netlink.attributes(element))
        yield ElementName(kind, read(_value(facts.get(KEY, b"")))), _reading(facts)


def holders(kind: str, body: bytes) -> Iterator[tuple[str, str]]:
    """(address, MAC) of each element of ``phone4`` or ``phone6`` in the body of one answer."""
    read = KEYS[kind].read
    for _, element in netlink.attributes(dict(netlink.attributes(body[4:])).get(3, b"")):
        facts = dict(netlink.attributes(element))
        yield read(_value(facts.get(KEY, b""))), _mac_text(_value(facts.get(DATA, b"")))


def hold_steps(holding: Sequence[tuple[str, str]]) -> list[tuple[int, bytes]]:
    """(message type, body) that make these (address, MAC) pairs first come, for the set's own time."""
    steps = []
    for address, mac in holding:
        family = 6 if ":" in address else 4
        phone = attribute(KEY | NESTED, attribute(VALUE, KEYS[f"phone{family}"].write(address)))
        phone += attribute(DATA | NESTED, attribute(VALUE, _mac(mac)))
        names = [ElementName(f"seen{family}", f"{address} . {mac}"), ElementName(f"held{family}", address)]
        bodies = [(name.set, _element(name, b"")) for name in names]
        steps += [(NEW, _head(kind) + attribute(ELEMENTS, element)) for kind, element in bodies]
        steps.append((NEW, _head(f"phone{family}") + attribute(ELEMENTS, attribute(LIST_ELEM, phone))))
    return steps


def _reading(facts: dict[int, bytes]) -> ElementReading:
    left = facts.get(EXPIRATION)
    seconds = int.from_bytes(left, "big") / 1000 if left else None
    (mark,) = struct.unpack("=I", _value(facts[DATA])) if DATA in facts else (0,)
    return ElementReading(
        Element(mark, seconds), _counter_bytes(facts.get(EXPRESSION) or _first(facts.get(EXPRESSIONS, b"")))
    )


def _counter_bytes(expression: bytes) -> int:
    """Bytes of a counter: NFTA_EXPR_NAME (1), NFTA_EXPR_DATA (2); NFTA_COUNTER_BYTES (1)."""
    facts = dict(netlink.attributes(expression))
    if facts.get(1) != b"counter\0":
        return 0
    return int.from_bytes(dict(netlink.attributes(facts.get(2, b""))).get(1, b""), "big")


def _first(attributes: bytes) -> bytes:
    return next((value for _, value in netlink.attributes(attributes)), b"")


def _value(data: bytes) -> bytes:
    return dict(netlink.attributes(data)).get(VALUE, b"")


def _bodies(elements: Sequence[tuple[ElementName, Element]]) -> Iterator[bytes]:
    for kind, group in groupby(sorted(elements, key=_set_of), key=_set_of):
        found = [_element(name, _facts(name, element)) for name, element in group]
        for at in range(0, len(found), MAX_ELEMENTS):
            yield _head(kind) + attribute(ELEMENTS, b"".join(found[at : at + MAX_ELEMENTS]))


def _set_of(named: tuple[ElementName, Element]) -> str:
    return named[0].set


def _head(kind: str) -> bytes:
    """nfgenmsg, NFTA_SET_ELEM_LIST_TABLE, NFTA_SET_ELEM_LIST_SET."""
    family, table = table_of(kind)
    head = struct.pack(">BBH", FAMILIES[family], 0, 0)
    return head + attribute(1, table.encode() + b"\0") + attribute(2, kind.encode() + b"\0")


def _element(name: ElementName, facts: bytes) -> bytes:
    key = attribute(KEY | NESTED, attribute(VALUE, KEYS[name.set].write(name.key)))
    return attribute(LIST_ELEM, key + facts)


def _facts(name: ElementName, element: Element) -> bytes:
    """Value and time-out. The set's own counter is given to the element by the kernel."""
    facts = b""
    if name.set in MAPS and element.mark:
        facts += attribute(DATA | NESTED, attribute(VALUE, struct.pack("=I", element.mark)))
    if element.seconds is not None:
        facts += attribute(TIMEOUT, struct.pack(">Q", max(1, int(element.seconds * 1000))))
    return facts


def _mac(text: str) -> bytes:
    return bytes.fromhex(text.replace(":", ""))


def _mac_text(mac: bytes) -> str:
    return mac[:6].hex(":")


def _interface(text: str) -> bytes:
    return text.strip('"').encode().ljust(16, b"\0")


def _interface_text(name: bytes) -> str:
    return f'"{name[:16].rstrip(bytes(1)).decode("utf-8", "replace")}"'


def _write_mark(text: str) -> bytes:
    return struct.pack("=I", int(text, 16))


def _read_mark(key: bytes) -> str:
    return f"0x{struct.unpack('=I', key)[0]:08x}"


def _write_mac_ip4(text: str) -> bytes:
    mac, ip4 = text.split(" . ")
    return _mac(mac) + b"\0\0" + socket.inet_aton(ip4)


def _read_mac_ip4(key: bytes) -> str:
    return f"{_mac_text(key)} . {socket.inet_ntoa(key[8:12])}"


def _write_ip_mac(text: str) -> bytes:
    address, mac = text.split(" . ")
    return _write_ip(address) + _mac(mac) + b"\0\0"


def _read_ip_mac(key: bytes) -> str:
    return f"{_read_ip(key[:-8])} . {_mac_text(key[-8:])}"


def _write_ip(text: str) -> bytes:
    return socket.inet_pton(socket.AF_INET6 if ":" in text else socket.AF_INET, text)


def _read_ip(key: bytes) -> str:
    return socket.inet_ntop(socket.AF_INET6 if len(key) == 16 else socket.AF_INET, key)


def _write_mac_ip6(text: str) -> bytes:
    mac, ip6 = text.split(" . ")
    return _mac(mac) + b"\0\0" + socket.inet_pton(socket.AF_INET6, ip6)


def _read_mac_ip6(key: bytes) -> str:
    return f"{_mac_text(key)} . {socket.inet_ntop(socket.AF_INET6, key[8:24])}"


def _write_two_macs(text: str) -> bytes:
    return b"".join(_mac(mac) + b"\0\0" for mac in text.split(" . "))


def _read_two_macs(key: bytes) -> str:
    return f"{_mac_text(key)} . {_mac_text(key[8:])}"


def _write_interface_mac(text: str) -> bytes:
    interface, mac = text.split(" . ")
    return _interface(interface) + _mac(mac) + b"\0\0"


def _read_interface_mac(key: bytes) -> str:
    return f"{_interface_text(key)} . {_mac_text(key[16:])}"


_MARKS, _MACS, _INTERFACES = (
    KeyCodec(_write_mark, _read_mark),
    KeyCodec(_mac, _mac_text),
    KeyCodec(_interface, _interface_text),
)
_IPS, _IP_MACS = KeyCodec(_write_ip, _read_ip), KeyCodec(_write_ip_mac, _read_ip_mac)
_INTERFACE_MACS = KeyCodec(_write_interface_mac, _read_interface_mac)
KEYS = {
    "up4": KeyCodec(_write_mac_ip4, _read_mac_ip4),
    "up6": _INTERFACE_MACS,
    "live": _MARKS,
    "slow": _MARKS,
    "blocked": _MACS,
    "disaster": _INTERFACES,
    **dict.fromkeys(("garden4", "garden6", "leased", "arp_leased", "own6"), _IPS),
    **dict.fromkeys(("held4", "held6", "arp_held4", "phone4", "phone6"), _IPS),
    **dict.fromkeys(("leased4", "arp_leased4", "seen4", "seen6", "arp_seen4"), _IP_MACS),
    "sources6": KeyCodec(_write_mac_ip6, _read_mac_ip6),
    "dhcp_clients": KeyCodec(_write_two_macs, _read_two_macs),
    "disaster_phones": _INTERFACE_MACS,
    "disaster_up": _INTERFACES,
    "disaster_down": _INTERFACES,
}
"""The sets that are read or written element by element (see ruleset.SETS)."""
