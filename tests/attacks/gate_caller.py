"""A process that asks the gate for what it may not: ``python gate_caller.py SOCKET REQUEST``, JSON in and out.

Prints the answer, or "closed" when the gate says nothing. Standard library only: it runs as a user who reads nothing
of ours.
"""

from __future__ import annotations

import socket
import struct
import sys


def main(path: str, request: str) -> None:
    """One request, one answer."""
    body = request.encode()
    with socket.socket(socket.AF_UNIX) as made:
        made.settimeout(10)
        try:
            made.connect(path)
            made.sendall(struct.pack("!I", len(body)) + body)
            head = made.recv(4)
            answer = made.recv(struct.unpack("!I", head)[0]).decode() if head else "closed"
        except ConnectionError:
            answer = "closed"
    sys.stdout.write(answer)


if __name__ == "__main__":
    main(*sys.argv[1:])
