"""Of several workers one serves; the others are built and wait. When the active one has done its part it ends, and with
it everything in its memory, and the next one serves at once.

Who is active holds a lock that the kernel gives back however its process ends (fcntl(2), F_SETLKW). What the active
worker leaves to the next one lies in the locked file, which is memory that the workers share (memfd_create(2)).
"""

from __future__ import annotations

import fcntl
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

MAX_LEFT = 65536
_LEFT_AT = 8
"""Where in the file what is left begins; before it stands the process that waits, 0: none."""
END_SECONDS = 5.0
"""How long a worker that handed over may take to finish answers; then it ends hard."""
_BEAT_SECONDS = 1.0
_ENDING = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)
_HOP_BY_HOP = {"connection", "transfer-encoding", "keep-alive", "date", "server"}

WsgiApp = Callable[..., Any]


class ActiveWorker:
    """Made once, before the workers are forked. port: on loopback, where they all listen."""

    def __init__(self, port: int, host: str = "127.0.0.1") -> None:
        self._file = os.memfd_create("hiroba-active-worker")
        self._address = (host, port)
        self._lock = threading.Lock()
        self._inside = 0
        self._ended = False
        self.left = b""

    def try_take(self) -> bool:
        """Become the active worker if nobody is."""
        try:
            fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        self._take_left()
        return True

    def wait(self, beat: Callable[[], object]) -> None:
        """Block until this worker is the active one, in its main thread. beat: tells the arbiter that it lives. Raises
        SystemExit when it is told to end, or its arbiter ended.
        """

        def waits() -> None:
            os.pwrite(self._file, os.getpid().to_bytes(_LEFT_AT, "big"), 0)
            beat()

        with _woken_every(_BEAT_SECONDS, waits):
            waits()
            fcntl.lockf(self._file, fcntl.LOCK_EX)
        self._take_left()

    def _take_left(self) -> None:
        """What the former one left; b"" when there was none or it did not hand over."""
        self.left = os.pread(self._file, MAX_LEFT, _LEFT_AT)
        os.ftruncate(self._file, 0)

    def _awaited(self) -> bool:
        """Whether a worker waits, ready to serve."""
        waiting = int.from_bytes(os.pread(self._file, _LEFT_AT, 0), "big")
        return waiting != 0 and Path(f"/proc/{waiting}").exists()

    def hand_over(self, leave: Callable[[], bytes | None]) -> bool:
        """End this worker in favour of the next one, if that one is ready and no request is being answered. leave:
        called meanwhile, says what to leave, or None to go on. From then on no request reaches the application here.
        """
        with self._lock:
            left = leave() if self._awaited() and not self._inside and not self._ended else None
            if left is None:
                return False
            self._ended = True
        os.pwrite(self._file, left, _LEFT_AT)
        os.kill(os.getpid(), signal.SIGTERM)  # gunicorn stops listening and ends
        fcntl.lockf(self._file, fcntl.LOCK_UN)
        hard = threading.Timer(END_SECONDS, os._exit, (0,))
        hard.daemon = True
        hard.start()
        return True

    def counted(self, app: WsgiApp) -> WsgiApp:
        """WSGI around ``app``: knows when no request is inside. A request that came a moment too late is passed on to
        the next worker.
        """

        def wrapped(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
            with self._lock:
                ended = self._ended
                self._inside += not ended
            if ended:
                return self._passed_on(environ, start_response)
            try:
                with closing(_Answer(app(environ, start_response))) as answer:
                    return [b"".join(answer.parts)]  # read whole: then nothing of this process is needed for it
            finally:
                with self._lock:
                    self._inside -= 1

        return wrapped

    def _passed_on(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        headers = {n[5:].replace("_", "-"): str(v) for n, v in environ.items() if n.startswith("HTTP_")}
        headers |= {"Content-Type": environ.get("CONTENT_TYPE", ""), "Connection": "close"}
        connection = HTTPConnection(*self._address, timeout=10)
        try:
            connection.request(environ["REQUEST_METHOD"], environ["RAW_URI"], body or None, headers)
            answer = connection.getresponse()
            content = answer.read()
        except (OSError, HTTPException):
            start_response("503 Service Unavailable", [("Retry-After", "1"), ("Content-Length", "0")])
            return []
        finally:
            connection.close()
        kept = [(name, value) for name, value in answer.getheaders() if name.lower() not in _HOP_BY_HOP]
        start_response(f"{answer.status} {answer.reason}", kept)
        return [content]


class _Answer:
    """What a WSGI application returned (PEP 3333: ``close`` is called if it has one)."""

    def __init__(self, parts: Any) -> None:
        self.parts = parts

    def close(self) -> None:
        """See PEP 3333."""
        getattr(self.parts, "close", lambda: None)()


@contextmanager
def _woken_every(seconds: float, beat: Callable[[], object]) -> Iterator[None]:
    """The main thread's blocking call is woken for ``beat``, and ended by a signal or with the parent."""
    parent = os.getppid()

    def end(*_: object) -> None:
        raise SystemExit(0)

    def woken(*_: object) -> None:
        if os.getppid() != parent:
            end()
        beat()

    before = {number: signal.signal(number, end) for number in _ENDING}
    before[signal.SIGALRM] = signal.signal(signal.SIGALRM, woken)
    signal.setitimer(signal.ITIMER_REAL, seconds, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in before.items():
            signal.signal(number, handler)
        signal.siginterrupt(signal.SIGTERM, False)  # as gunicorn's worker has it
