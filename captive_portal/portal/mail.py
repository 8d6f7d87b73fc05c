"""Sends mail from a queue in one thread, so that no phone waits for a mail server. The only importer of smtplib.

Logs that a mail was sent, or why not, without its address and code (N3).
"""

from __future__ import annotations

import contextlib
import queue
import smtplib
import socket
import ssl
import threading
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from pathlib import Path
from typing import NamedTuple, Protocol

from captive_portal.settings import SmtpSettings
from device.errors import SettingsError
from device.logs import Log
from device.network_reads import Limits, connect, renew, secured, use_for

_TIMEOUT_SECONDS = 15.0
"""For a mail and all that the server says to it."""
MAX_ANSWER_BYTES = 64 * 1024
_PAUSES_SECONDS = (2.0, 8.0)
_SEND_ERRORS = (OSError, smtplib.SMTPException, ssl.SSLError)


class _BoundedSmtp(smtplib.SMTP):
    """A conversation within ``limits`` altogether. tls: when the server speaks TLS from the first byte."""

    def __init__(self, limits: Limits, tls: ssl.SSLContext | None) -> None:
        super().__init__()
        self._limits, self._tls_first = limits, tls

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:  # noqa: ARG002 - limits know the time
        self._host = host  # smtplib keeps it for STARTTLS, but only where its constructor connects
        plain = connect(host, port, self._limits)
        return secured(plain, self._tls_first, host, self._limits) if self._tls_first else plain

    def greet(self, host: str, port: int) -> None:
        """Connect. Raises smtplib.SMTPConnectError when the server does not want to talk, OSError."""
        code, said = self.connect(host, port)
        if code != 220:
            self.close()
            raise smtplib.SMTPConnectError(code, said)

    def renew(self) -> None:
        """The socket is another one since STARTTLS; the limits are the same."""
        renew(self.sock, self._limits)


class Mail(NamedTuple):
    """One mail. Its repr hides address and text."""

    address: str
    subject: str
    text: str

    def __repr__(self) -> str:
        return "Mail(****)"


class MailQueue(Protocol):
    """Mails to send later."""

    def enqueue(self, mail: Mail, /) -> bool:
        """Queue it; False when the queue is full or mail is not set up."""
        ...


class NoMailQueue:
    """For a box without [wifi.smtp]: sends nothing."""

    def enqueue(self, _mail: Mail, /) -> bool:
        """See MailQueue."""
        return False


class SmtpMailQueue:
    """Sends by SMTP with STARTTLS, TLS, or without for a relay on the box itself; three tries, then logged."""

    def __init__(
        self,
        settings: SmtpSettings,
        state: Path,
        log: Log,
        pauses: tuple[float, ...] = _PAUSES_SECONDS,
        *,
        seconds: float = _TIMEOUT_SECONDS,
    ) -> None:
        self._settings = settings
        self._state = state
        self._log = log
        self._pauses, self._seconds = pauses, seconds
        self._queue: queue.Queue[Mail | None] = queue.Queue(maxsize=200)
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def enqueue(self, mail: Mail, /) -> bool:
        """See MailQueue."""
        try:
            self._queue.put_nowait(mail)
        except queue.Full:
            self._log.warning("mail_queue_full")
            return False
        return True

    def start(self) -> None:
        """Start the thread. Raises SettingsError when the CA or password file cannot be read."""
        tls, password = self._tls(), self._password()
        self._thread = threading.Thread(target=self._work, args=(tls, password), name="mail", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Drop queued mails and end the thread within one try."""
        self._stopping.set()
        if self._thread is not None:
            with contextlib.suppress(queue.Full):  # then the thread sees the flag after its present mail
                self._queue.put_nowait(None)
            self._thread.join(_TIMEOUT_SECONDS)

    def _work(self, tls: ssl.SSLContext, password: str) -> None:
        while (mail := self._queue.get()) is not None and not self._stopping.is_set():
            self._deliver(mail, tls, password)

    def _deliver(self, mail: Mail, tls: ssl.SSLContext, password: str) -> None:
        for pause in (*self._pauses, None):
            try:
                self._send(mail, tls, password)
            except _SEND_ERRORS as error:
                self._log.warning("mail_not_sent", problem=type(error).__name__, reply=getattr(error, "smtp_code", 0))
                if pause is None or _is_permanent(error) or self._stopping.wait(pause):
                    return
            else:
                self._log.info("mail_sent")
                return

    def _send(self, mail: Mail, tls: ssl.SSLContext, password: str) -> None:
        s = self._settings
        server = _BoundedSmtp(Limits(self._seconds, MAX_ANSWER_BYTES), tls if s.security == "tls" else None)
        with server:
            server.greet(s.host, s.port)
            if s.security == "starttls":
                use_for(tls)
                server.starttls(context=tls)  # raises when the server offers none: no mail leaves in the clear
                server.renew()
            if s.user:
                server.login(s.user, password)
            server.send_message(self._message(mail))

    def _message(self, mail: Mail) -> EmailMessage:
        message = EmailMessage()
        message["From"] = self._settings.sender
        message["To"] = mail.address
        message["Subject"] = mail.subject
        message["Date"] = formatdate(localtime=False)
        message["Message-ID"] = make_msgid(domain=self._settings.sender.rpartition("@")[2] or "localhost")
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834 §5: no robot answers this
        message.set_content(mail.text)
        return message

    def _tls(self) -> ssl.SSLContext:
        try:
            return ssl.create_default_context(
                cafile=str(self._state / self._settings.ca_file) if self._settings.ca_file else None
            )
        except OSError as error:
            raise SettingsError(file="site", line=0, key="wifi.smtp.ca_file", wrong=type(error).__name__) from error

    def _password(self) -> str:
        if not self._settings.password_file:
            return ""
        try:
            return (self._state / self._settings.password_file).read_text("utf-8").strip()
        except OSError as error:
            raise SettingsError(
                file="site", line=0, key="wifi.smtp.password_file", wrong=type(error).__name__
            ) from error


def _is_permanent(error: Exception) -> bool:
    """A refusal by the server (5xx), which a further try would not change."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return all(code >= 500 for code, _ in error.recipients.values())
    return isinstance(error, smtplib.SMTPResponseException) and error.smtp_code >= 500
