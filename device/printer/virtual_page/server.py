"""The virtual IPP printer's HTTP side."""

from __future__ import annotations

import http.server
import threading
from pathlib import Path

import msgspec

from device.printer import ipp
from device.printer.ipp import Group, IppMessage, NotIpp, Operation, Status
from device.printer.status import Condition
from device.printer.virtual_faults import read_state, write_state
from device.printer.virtual_page.answers import Answers
from device.printer.virtual_page.print_engine import PrintEngine

PATH = "/ipp/print"
_MAX_BYTES = 64 * 1024 * 1024
_WORK = (Operation.PRINT_JOB, Operation.CREATE_JOB, Operation.SEND_DOCUMENT, Operation.CANCEL_JOB)
"""Operations whose answers can get lost by ``lost_answers``; a question asked in vain changes nothing."""
_UNREACHABLE = (Condition.OFFLINE, Condition.SILENT)


class VirtualPagePrinter:
    """A printer on loopback that prints into ``folder``. port 0 takes a free one; ``uri`` tells."""

    def __init__(self, folder: Path, port: int = 0) -> None:
        self.engine = PrintEngine(folder)
        self._server = _Server(("127.0.0.1", port), _Handler)
        self.port = int(self._server.server_address[1])
        self.uri = f"ipp://127.0.0.1:{self.port}{PATH}"
        self._server.answers = Answers(self.engine, self.uri)
        self._server.folder = folder
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def start(self) -> None:
        """Switch on."""
        self.engine.start()
        self._thread.start()

    def stop(self) -> None:
        """Switch off; jobs are forgotten."""
        self._server.shutdown()
        self._server.server_close()
        self.engine.stop()

    def __enter__(self) -> VirtualPagePrinter:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    answers: Answers
    folder: Path


class _Handler(http.server.BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    timeout = 30

    def do_POST(self) -> None:
        """One IPP request. An unreachable printer closes the connection. A lost answer: the operation is done, and its
        answer not sent.
        """
        body = self._body()
        if body is None or read_state(self.server.folder).condition in _UNREACHABLE:
            self.close_connection = True
            return
        answer = self._answer(body)
        state = read_state(self.server.folder)
        if state.lost_answers and int.from_bytes(body[2:4], "big") in _WORK:
            write_state(self.server.folder, msgspec.structs.replace(state, lost_answers=state.lost_answers - 1))
            self.close_connection = True
            return
        self.send_response(200)
        self.send_header("Content-Type", ipp.MEDIA_TYPE)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def _answer(self, body: bytes) -> bytes:
        try:
            request = ipp.decode(body)
        except NotIpp:
            return ipp.encode(IppMessage(Status.BAD_REQUEST, 1, (Group(ipp.Tag.OPERATION, ()),)))
        return ipp.encode(self.server.answers.answer(request))

    def _body(self) -> bytes | None:
        if self.headers.get("Expect", "").lower() == "100-continue":
            self.send_response_only(100)
            self.end_headers()
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            return self._chunks()
        length = self.headers.get("Content-Length", "")
        return self.rfile.read(int(length)) if length.isdecimal() and int(length) <= _MAX_BYTES else None

    def _chunks(self) -> bytes | None:
        body = bytearray()
        while size := int(self.rfile.readline().split(b";")[0].strip() or b"0", 16):
            if len(body) + size > _MAX_BYTES:
                return None
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return bytes(body)

    def handle_expect_100(self) -> bool:
        """``_body`` sends the go-ahead itself."""
        return True

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the standard library's own name
        """Nothing is logged: requests hold job names."""
