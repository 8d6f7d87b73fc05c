"""The part of netlink that the gate needs: requests and answers, dumps read packet by packet, nftables' batches, and
notifications of ruleset changes. Standard library only; numbers are of the kernel's uapi headers, named there.
"""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Iterator, Sequence

NETLINK_ROUTE, NETLINK_NETFILTER = 0, 12
REQUEST, ACK, EXCL, CREATE, DUMP = 0x1, 0x4, 0x200, 0x400, 0x300  # linux/netlink.h NLM_F_*
ERROR, DONE = 2, 3
NESTED = 0x8000
HEAD = struct.Struct("=IHHII")  # nlmsghdr
ATTRIBUTE = struct.Struct("=HH")  # nlattr


def attribute(kind: int, value: bytes) -> bytes:
    """One attribute, padded to four bytes."""
    length = ATTRIBUTE.size + len(value)
    return ATTRIBUTE.pack(length, kind) + value + b"\0" * (-length % 4)


def attributes(body: bytes) -> Iterator[tuple[int, bytes]]:
    """(kind, value) of each attribute in ``body``; stops at anything malformed."""
    at = 0
    while at + ATTRIBUTE.size <= len(body):
        length, kind = ATTRIBUTE.unpack_from(body, at)
        if length < ATTRIBUTE.size or at + length > len(body):
            return
        yield kind & 0x3FFF, body[at + ATTRIBUTE.size : at + length]
        at += length + (-length % 4)


def messages(packet: bytes) -> Iterator[tuple[int, bytes]]:
    """(type, body) of each message in ``packet``."""
    at = 0
    while at + HEAD.size <= len(packet):
        length, kind, _, _, _ = HEAD.unpack_from(packet, at)
        if length < HEAD.size or at + length > len(packet):
            return
        yield kind, packet[at + HEAD.size : at + length]
        at += length + (-length % 4)


class NetlinkSocket:
    """A netlink socket for requests and their answers. Not for several threads at once."""

    def __init__(self, family: int, timeout: float = 2.0) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, family)
        self._socket.settimeout(timeout)
        self._socket.bind((0, 0))
        self._sequence = 0

    def request(self, kind: int, body: bytes, flags: int = ACK) -> list[tuple[int, bytes]]:
        """The answer's messages without the closing one. Raises OSError with the kernel's number."""
        self._send_request(kind, body, flags)
        answers: list[tuple[int, bytes]] = []
        while True:
            for answer, content in self._receive_answers():
                if answer == ERROR:
                    _raise(content)
                    return answers
                if answer == DONE:
                    return answers
                answers.append((answer, content))
            if answers and not flags & (ACK | DUMP & 0x200):
                return answers

    def _send_request(self, kind: int, body: bytes, flags: int) -> None:
        self._sequence += 1
        self._socket.send(_frame(kind, REQUEST | flags, self._sequence, body))

    def _receive_answers(self) -> list[tuple[int, bytes]]:
        """Messages of the next packet that answer the last request; a late answer to an older one is dropped."""
        packet = self._socket.recv(1 << 16)  # dumps come in packets of half of that
        if len(packet) < HEAD.size or HEAD.unpack_from(packet)[3] != self._sequence:
            return []
        return list(messages(packet))

    def dump(self, kind: int, body: bytes) -> Iterator[bytes]:
        """The bodies of a dump's messages, a packet of them at a time: memory does not grow with the answer. Nothing
        else may be asked of this socket before the end. Raises OSError with the kernel's number.
        """
        self._send_request(kind, body, DUMP)
        over = False
        try:
            while not over:
                for answer, content in self._receive_answers():
                    over = answer in (ERROR, DONE)
                    if answer == ERROR:
                        _raise(content)
                    if not over:
                        yield content
        finally:
            while not over:  # left in the middle: the kernel refuses another dump until this one is read to its end
                over = any(answer in (ERROR, DONE) for answer, _ in self._receive_answers())

    def transact(self, steps: Sequence[tuple[int, bytes]]) -> None:
        """One nftables transaction of (message type, body): all of it happens or nothing. Raises OSError with the
        kernel's number.
        """
        self._sequence += 1
        edge = struct.pack(">BBH", 0, 0, 10)  # nfgenmsg; res_id NFNL_SUBSYS_NFTABLES
        frames = [_frame(16, REQUEST, self._sequence, edge)]  # NFNL_MSG_BATCH_BEGIN
        for place, (kind, body) in enumerate(steps, 1):
            flags = REQUEST | CREATE | (ACK if place == len(steps) else 0)
            frames.append(_frame(kind, flags, self._sequence, body))
        frames.append(_frame(17, REQUEST, self._sequence, edge))  # NFNL_MSG_BATCH_END
        self._socket.send(b"".join(frames))
        while True:  # errors come in the order of the steps, the acknowledgement of the last step at the end
            for answer, content in self._receive_answers():
                if answer == ERROR:
                    _raise(content)
                    return

    def set_send_buffer(self, size: int) -> None:
        """Allow batches of ``size`` bytes (SO_SNDBUFFORCE, 32; needs CAP_NET_ADMIN)."""
        self._socket.setsockopt(socket.SOL_SOCKET, 32, size)

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()


def _frame(kind: int, flags: int, sequence: int, body: bytes) -> bytes:
    """One message, padded to four bytes."""
    return HEAD.pack(HEAD.size + len(body), kind, flags, sequence, 0) + body + b"\0" * (-len(body) % 4)


def _raise(error: bytes) -> None:
    """nlmsgerr: OSError, unless it is an acknowledgement."""
    (number,) = struct.unpack_from("=i", error)
    if number:
        raise OSError(-number, os.strerror(-number))


def open_listener(family: int, group: int) -> socket.socket:
    """A non-blocking socket that receives the notifications of a multicast group."""
    monitor = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, family)
    monitor.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    monitor.bind((0, 0))
    monitor.setsockopt(270, 1, group)  # SOL_NETLINK, NETLINK_ADD_MEMBERSHIP
    monitor.setblocking(False)
    return monitor


def drain(monitor: socket.socket) -> None:
    """Discard all pending notifications."""
    while True:
        try:
            monitor.recv(1 << 18)
        except BlockingIOError:
            return
        except OSError:  # ENOBUFS: notifications were lost
            continue


def open_ruleset_monitor() -> socket.socket:
    """A socket that is notified of every change of nftables (NFNLGRP_NFTABLES = 7, linux/netfilter/nfnetlink.h)."""
    return open_listener(NETLINK_NETFILTER, group=7)


def changed_by_other_process(monitor: socket.socket, own_pid: int) -> bool:
    """Read all pending notifications. True when another process changed the ruleset, or when some were lost."""
    found = False
    while True:
        try:
            packet = monitor.recv(1 << 18)
        except BlockingIOError:
            return found
        except OSError:  # ENOBUFS: notifications were lost
            found = True
            continue
        for kind, body in messages(packet):
            if kind == 10 << 8 | 15:  # NFNL_SUBSYS_NFTABLES, NFT_MSG_NEWGEN
                facts = dict(attributes(body[4:]))
                found |= facts.get(2) != struct.pack(">I", own_pid)  # NFTA_GEN_PROC_PID
