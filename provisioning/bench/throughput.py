"""Bytes and small packets from an online phone through the gateway, counted where they arrive."""

from __future__ import annotations

import contextlib
import socket
import threading
import time

from provisioning.bench.network_lab import INTERNET_HOST, in_namespace

UDP_PORT, TCP_PORT = 7001, 7002


def tcp_mib_per_second(phone_space: str, far_space: str, seconds: float) -> float:
    """One TCP connection upwards for ``seconds``; MiB a second as received."""
    listener = in_namespace(far_space, lambda: socket.create_server((INTERNET_HOST, TCP_PORT)))
    with listener:
        sender = in_namespace(phone_space, lambda: socket.create_connection((INTERNET_HOST, TCP_PORT), 5))
        receiver, _ = listener.accept()
    pushing = threading.Thread(target=_send, args=(sender, seconds))
    began = time.perf_counter()
    pushing.start()
    with receiver:
        received = _receive(receiver)
    took = time.perf_counter() - began
    pushing.join()
    return received / 2**20 / took


def _send(sender: socket.socket, seconds: float) -> None:
    piece = bytes(256 * 1024)
    until = time.perf_counter() + seconds
    with sender, contextlib.suppress(OSError):
        while time.perf_counter() < until:
            sender.sendall(piece)


def _receive(receiver: socket.socket) -> int:
    room = bytearray(1024 * 1024)
    received = 0
    while count := receiver.recv_into(room):
        received += count
    return received


def udp_packets_per_second(phone_space: str, far_space: str, seconds: float) -> float:
    """64-byte datagrams upwards; sent and forwarded on one core, so the rate is what a packet costs on its way."""
    far = in_namespace(far_space, lambda: _bound(UDP_PORT))
    with far, in_namespace(phone_space, lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as sender:
        sender.connect((INTERNET_HOST, UDP_PORT))
        piece, sent = bytes(64), 0
        began = time.perf_counter()
        until = began + seconds
        while time.perf_counter() < until:
            for _ in range(100):
                sender.send(piece)
            sent += 100
        took = time.perf_counter() - began
        if not far.recv(100):
            raise OSError("no datagram arrived")
    return sent / took


def _bound(port: int) -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.bind((INTERNET_HOST, port))
    made.settimeout(2.0)
    return made
