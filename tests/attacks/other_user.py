"""Another user of the box who wants to read or touch the resident's screen: ``python other_user.py PORT TRICK``, under
any user and with the standard library alone. Prints what the kiosk answered.
"""

import socket
import struct
import sys

GET = b"GET /state HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Real-IP: 127.0.0.1\r\nX-Forwarded-For: 127.0.0.1\r\n\r\n"


def post(token: str) -> bytes:
    body = f"token={token}".encode()
    kind = b"Content-Type: application/x-www-form-urlencoded\r\n"
    head = f"POST /home/start HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(body)}\r\n".encode()
    return head + kind + b"\r\n" + body


def main() -> None:
    port, trick, token = int(sys.argv[1]), sys.argv[2], (sys.argv[3:] or [""])[0]
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(post(token) if token else GET)
        if trick == "half-close":
            connection.shutdown(socket.SHUT_WR)
        if trick == "reset":  # nobody holds the socket when the kernel is asked
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        if trick in {"close", "reset"}:
            return
        answer = b""
        while b"\r\n\r\n" not in answer and (part := connection.recv(65536)):
            answer += part
        sys.stdout.write(answer.decode())


main()
