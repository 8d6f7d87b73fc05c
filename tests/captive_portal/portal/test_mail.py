"""The mail thread against a real SMTP server with STARTTLS, on loopback."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path

import pytest

from captive_portal.portal.mail import Mail, NoMailQueue, SmtpMailQueue
from captive_portal.settings import SmtpSettings
from device.errors import SettingsError
from device.logs import open_log
from tests.fixtures.mail_server import PASSWORD, USER, MailServer, wait_for
from tests.fixtures.tls import write_test_credential

MAIL = Mail("canary-visitor@example.jp", "無料Wi-Fiの番号", "番号は 123456 です。\n")


class Post:
    """A mail_queue, the server it speaks to and its log."""

    def __init__(self, state: Path, *, tls: bool = True, trusted: bool = True, user: str = USER) -> None:
        certificate, key = write_test_credential(state)
        (state / "password").write_text(f"{PASSWORD}\n")
        self.server, self.log = MailServer((certificate, key) if tls else None), StringIO()
        settings = SmtpSettings(
            host="localhost",
            port=self.server.port,
            ca_file=certificate.name if trusted else "",
            user=user,
            password_file="password",
        )
        self.box = SmtpMailQueue(settings, state, open_log("portal", self.log), pauses=(0.01, 0.01))
        self.box.start()

    def events(self, name: str) -> int:
        return self.log.getvalue().count(f'"event": "{name}"')

    def close(self) -> None:
        self.box.stop()
        self.server.close()


@pytest.fixture
def open_post(tmp_path: Path) -> Iterator[Callable[..., Post]]:
    opened: list[Post] = []

    def make(**facts: bool | str) -> Post:
        opened.append(Post(tmp_path, **facts))  # type: ignore[arg-type]  # fields by name
        return opened[-1]

    yield make
    for post in opened:
        post.close()


def test_a_mail_arrives_over_tls_and_whole(open_post: Callable[..., Post]) -> None:
    post = open_post()
    assert post.box.enqueue(MAIL)
    wait_for(lambda: post.server.taken)
    (taken,) = post.server.taken
    assert (taken.to, taken.over) == (MAIL.address, "tls")
    assert (taken.message["Subject"], taken.text) == (MAIL.subject, MAIL.text)
    assert taken.message["Auto-Submitted"] == "auto-generated"


def test_a_busy_server_is_asked_again(open_post: Callable[..., Post]) -> None:
    post = open_post()
    post.server.answers = ["451 later", "451 later"]
    post.box.enqueue(MAIL)
    wait_for(lambda: post.server.taken)
    assert post.events("mail_not_sent") == 2


def test_a_final_refusal_is_not_repeated(open_post: Callable[..., Post]) -> None:
    post = open_post()
    post.server.answers = ["550 no such box"]
    post.box.enqueue(MAIL)
    post.box.enqueue(MAIL)
    wait_for(lambda: post.events("mail_sent"))  # told a moment after the server took it
    assert (post.events("mail_not_sent"), post.events("mail_sent"), len(post.server.taken)) == (1, 1, 1)


@pytest.mark.parametrize("facts", [{"tls": False}, {"trusted": False}], ids=["no STARTTLS", "unknown authority"])
def test_no_mail_leaves_without_trusted_tls(open_post: Callable[..., Post], facts: dict[str, bool]) -> None:
    post = open_post(**facts)
    post.box.enqueue(MAIL)
    wait_for(lambda: post.events("mail_not_sent") == 3)
    assert post.server.taken == []


def test_the_log_names_no_address_no_code_and_no_password(open_post: Callable[..., Post]) -> None:
    post = open_post()
    post.server.answers = ["550 canary-visitor@example.jp 123456"]
    post.box.enqueue(MAIL)
    post.box.enqueue(MAIL)
    wait_for(lambda: post.events("mail_sent") and post.events("mail_not_sent"))
    written = post.log.getvalue() + repr(MAIL)
    assert [word for word in ("canary", "123456", PASSWORD) if word in written] == []


def test_a_full_queue_turns_mails_away(tmp_path: Path) -> None:
    box = SmtpMailQueue(SmtpSettings(), tmp_path, open_log("portal", StringIO()))
    answers = [box.enqueue(MAIL) for _ in range(201)]
    assert answers == [True] * 200 + [False]


def test_a_box_without_smtp_takes_no_mail() -> None:
    assert NoMailQueue().enqueue(MAIL) is False


@pytest.mark.parametrize("facts", [{"ca_file": "none.pem"}, {"password_file": "none"}])
def test_a_missing_file_is_told_at_the_start(tmp_path: Path, facts: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match=f"wifi.smtp.{next(iter(facts))}"):
        SmtpMailQueue(SmtpSettings(**facts), tmp_path, open_log("portal", StringIO())).start()  # type: ignore[arg-type]
