"""Which user holds the other end of a TCP connection on loopback, as the kernel knows it (sock_diag(7)).

The answer holds for this very connection. It counts only while the other end is established and still held by a
process, since the kernel tells user 0 for a socket that its process has closed. The own end is looked at after the
answer: as long as it is established, nobody else can have the same pair of addresses.
"""

from __future__ import annotations

import errno
import os
import socket
import struct

_SOCK_DIAG = 4  # linux/netlink.h NETLINK_SOCK_DIAG
_BY_FAMILY = 20  # linux/sock_diag.h SOCK_DIAG_BY_FAMILY
_REQUEST = 1  # linux/netlink.h NLM_F_REQUEST
_ESTABLISHED = 1  # linux/tcp_states.h
_HEAD = struct.Struct("=IHHII")  # nlmsghdr
_ASKED = struct.Struct("=BBBxI")  # inet_diag_req_v2 before the id
_ID = struct.Struct("!HH16s16s")  # inet_diag_sockid: ports and addresses, as on the wire
_REST = struct.Struct("=III")  # interface, two halves of a cookie
_ANY_COOKIE = 0xFFFFFFFF
_ANSWER = struct.Struct("=BBBB")  # inet_diag_msg: family, state, timer, retransmits
_OWNER = struct.Struct("=IIIII")  # expires, receive queue, send queue, user, inode
_TIMEOUT = 2.0


def peer_user(connection: socket.socket) -> int | None:
    """The numeric user of the process at the other end of ``connection``; None when the kernel does not say so for
    certain: the other end is closed or half closed, not on this machine, or this is no TCP connection.
    """
    try:
        if connection.family not in (socket.AF_INET, socket.AF_INET6) or not _established(connection):
            return None
        user = _owner(connection.family, connection.getpeername(), connection.getsockname())
        return user if _established(connection) else None
    except OSError:
        return None


def _established(connection: socket.socket) -> bool:
    return connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] == _ESTABLISHED


def _owner(family: int, local: tuple[object, ...], remote: tuple[object, ...]) -> int | None:
    """The user of the socket ``local`` connected to ``remote``. Raises OSError."""
    asked = _socket_id(family, local, remote)
    body = _ASKED.pack(family, socket.IPPROTO_TCP, 0, 0xFFFFFFFF) + asked + _REST.pack(0, _ANY_COOKIE, _ANY_COOKIE)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, _SOCK_DIAG) as kernel:
        kernel.settimeout(_TIMEOUT)
        kernel.bind((0, 0))
        kernel.sendto(_HEAD.pack(_HEAD.size + len(body), _BY_FAMILY, _REQUEST, 1, 0) + body, (0, 0))
        packet, sender = kernel.recvfrom(4096)
    if sender[0] != 0:  # netlink(7): the kernel's own port
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))
    return owner_told(packet, asked)


def owner_told(packet: bytes, asked: bytes) -> int | None:
    """The user in the kernel's answer, None unless it is about an established socket with an owner and the very
    addresses ``asked``.
    """
    wanted = _HEAD.size + _ANSWER.size + _ID.size + _REST.size + _OWNER.size
    if len(packet) < wanted or _HEAD.unpack_from(packet)[1] != _BY_FAMILY:
        return None
    _, state, _, _ = _ANSWER.unpack_from(packet, _HEAD.size)
    at = _HEAD.size + _ANSWER.size
    told = packet[at : at + _ID.size]
    _, _, _, user, inode = _OWNER.unpack_from(packet, at + _ID.size + _REST.size)
    return user if state == _ESTABLISHED and inode != 0 and told == asked else None


def _socket_id(family: int, local: tuple[object, ...], remote: tuple[object, ...]) -> bytes:
    """inet_diag_sockid without interface and cookie: source is the looked-up socket's own side."""
    source, destination = (socket.inet_pton(family, str(end[0])).ljust(16, b"\0") for end in (local, remote))
    return _ID.pack(int(str(local[1])), int(str(remote[1])), source, destination)
