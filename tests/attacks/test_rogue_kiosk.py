"""A rogue kiosk against the issuer at city hall: through the real nginx of the rendered configuration, and at its
sockets.
"""

from __future__ import annotations

import itertools
import json
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from device.clock import SystemClock
from kiosk.issuer import protocol as p
from kiosk.issuer.connection import LOCAL_SOCKET, CredentialFiles
from kiosk.issuer.errors import IssuerBroken, IssuerBusy, IssuerUnreachable, RequestUnknown
from kiosk.issuer.given_documents import MAX_TIMES
from provisioning.box.render.nginx_mutual import ISSUER_SOCKET, KIOSK_BURST, KIOSK_CONCURRENT
from provisioning.cityhall.boxes.authority import Authority, make_authority, private_pem
from provisioning.cityhall.wiring import open_authority
from tests.attacks.rogue_kiosk import RogueKiosk, spoofed
from tests.fixtures.issuer_at_city_hall import ADDRESS, HERE, IssuerAtCityHall

pytestmark = pytest.mark.needs("nginx", "ipamj")
INVALID = p.Refusal(refused=p.RefusalReason.ORDER_INVALID)
REFUSED = {(403, "kiosk.refused")}
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[IssuerAtCityHall]:
    with IssuerAtCityHall(tmp_path_factory.mktemp("c")) as made:
        yield made


@pytest.fixture
def name(numbers: Iterator[int]) -> str:
    """A box that no other test has."""
    return f"plaza-{next(numbers)}"


@pytest.fixture(scope="module")
def numbers() -> Iterator[int]:
    return itertools.count(1)


def rogue(city: IssuerAtCityHall, files: CredentialFiles | None = None) -> RogueKiosk:
    shown = (files.certificate, files.key) if files else (None, None)
    return RogueKiosk(f"{ADDRESS}:{city.port}", city.hall.ca, *shown)


def credential(folder: Path, authority: Authority, box: str, *, days: int = 30, age: int = 0) -> CredentialFiles:
    """A credential that ``authority`` signs for a key of the rogue's own."""
    key = ec.generate_private_key(ec.SECP256R1())
    made = authority.issue_box(box, key.public_key(), SystemClock().now() - timedelta(days=age), days)
    files = CredentialFiles(folder / "unused", folder / f"{box}.pem", folder / f"{box}.key")
    files.certificate.write_bytes(made.public_bytes(Encoding.PEM))
    files.key.write_bytes(private_pem(key))
    return files


def city_authority(city: IssuerAtCityHall) -> Authority:
    return open_authority(city.hall.settings, city.hall.state, SystemClock())


def test_without_a_credential_of_the_city_there_is_no_answer(city: IssuerAtCityHall, tmp_path: Path) -> None:
    other = make_authority("TEST other", ["localhost"], SystemClock().now())
    expired = credential(tmp_path, city_authority(city), "old-1", age=60)
    for files in (None, credential(tmp_path, other, "plaza-x"), expired):
        with pytest.raises((ssl.SSLError, ConnectionError)):
            rogue(city, files).ask("POST", "/v3/challenge")


def test_a_credential_of_the_city_for_a_box_that_never_enrolled_is_refused_everywhere(
    city: IssuerAtCityHall, tmp_path: Path
) -> None:
    files = credential(tmp_path, city_authority(city), "never-enrolled")
    assert rogue(city, files).outcome_of_all() == REFUSED


def test_another_key_under_an_enrolled_name_is_refused_everywhere(
    city: IssuerAtCityHall, name: str, tmp_path: Path
) -> None:
    city.enrolled(name)
    files = credential(tmp_path, city_authority(city), name)
    assert rogue(city, files).outcome_of_all(spoofed(files.certificate)) == REFUSED


def test_a_revoked_box_is_refused_at_its_next_call_also_on_a_connection_that_it_kept(
    city: IssuerAtCityHall, name: str
) -> None:
    files, other = city.enrolled(name), city.kiosk(f"{name}-b")
    machine = rogue(city, files)
    assert machine.ask("POST", "/v3/challenge", keep=True)[0] == 200
    city.hall.service.enrolments.revoke(name, "hanako")
    assert machine.ask("POST", "/v3/challenge", keep=True) == (403, {"code": "kiosk.refused"})
    assert machine.outcome_of_all() == REFUSED
    assert machine.outcome_of_all(spoofed(other.files.certificate)) == REFUSED
    assert other.port.health().ready


def test_plain_http_is_not_answered(city: IssuerAtCityHall) -> None:
    with socket.create_connection((ADDRESS, city.port), 20) as plain:
        plain.sendall(b"POST /v3/challenge HTTP/1.1\r\nHost: issuer\r\nContent-Length: 0\r\n\r\n")
        with suppress(ConnectionResetError):
            assert plain.recv(100) == b""


def test_no_message_and_no_header_names_the_kiosk(city: IssuerAtCityHall, name: str) -> None:
    victim, machine = city.kiosk(name), rogue(city, city.enrolled(f"{name}-b"))
    request = victim.ordered(visit := victim.enter())
    document, told = f"/v3/requests/{request}/document", {"visit": visit.visit}
    assert machine.ask("POST", document, {**told, "kiosk": name})[0] == 400
    assert machine.ask("POST", document, told, spoofed(victim.files.certificate)) == (
        404,
        {"code": "request.unknown"},
    )
    assert isinstance(victim.document(visit, request), p.Document)


def test_another_s_visit_token_opens_nothing(city: IssuerAtCityHall, name: str) -> None:
    victim, thief = city.kiosk(name), city.kiosk(f"{name}-b")
    request = victim.ordered(visit := victim.enter())
    assert thief.port.order(thief.signed(visit)) == p.Refusal(refused=p.RefusalReason.CHALLENGE)
    with pytest.raises(RequestUnknown):
        thief.document(visit, request)
    with pytest.raises(RequestUnknown):
        thief.told(visit, request, p.OutcomeKind.VOIDED)
    later = victim.enter()
    assert victim.document(later, request) == INVALID  # nor does another visit at the same kiosk


def test_a_lost_answer_comes_again_and_then_no_more(city: IssuerAtCityHall, name: str) -> None:
    kiosk = city.kiosk(name)
    request = kiosk.ordered(visit := kiosk.enter())
    given = [kiosk.document(visit, request) for _ in range(MAX_TIMES)]
    assert isinstance(given[0], p.Document)
    assert given == [given[0]] * MAX_TIMES
    assert kiosk.document(visit, request) == INVALID


def test_after_voiding_there_is_no_document_and_the_outcome_needs_its_key(city: IssuerAtCityHall, name: str) -> None:
    kiosk = city.kiosk(name)
    request = kiosk.ordered(visit := kiosk.enter())
    for key in ("", p.outcome_key("another-visit", request)):
        assert kiosk.port.outcome(request, p.Outcome(outcome=p.OutcomeKind.DELIVERED, key=key)) == INVALID
    assert kiosk.told(visit, request, p.OutcomeKind.VOIDED) == p.Settled(outcome=p.OutcomeKind.VOIDED)
    assert kiosk.document(visit, request) == INVALID


def test_sixty_four_kilobytes_of_text_do_not_reach_the_ledger(city: IssuerAtCityHall, name: str) -> None:
    machine, before = rogue(city, city.enrolled(name)), grown(city)
    long = "a" * 65_000
    proof = {"challenge": long, "credential": "", "signature": ""}
    assert machine.ask("POST", "/v3/authenticate", proof)[0] == 413
    for short in ("a" * 9_000, "あ" * 1_000, ""):
        assert machine.ask("POST", "/v3/authenticate", {**proof, "challenge": short})[0] == 400
        assert machine.ask("POST", "/v3/requests/12345678/document", {"visit": short})[0] == 400
    assert machine.ask("POST", f"/v3/requests/{'a' * 900}/document", {"visit": "12345678"})[0] == 404
    assert grown(city) == before


def test_a_flood_is_answered_with_429_and_hinders_nobody_else(city: IssuerAtCityHall, name: str) -> None:
    machine, other, before = rogue(city, city.enrolled(name)), city.kiosk(f"{name}-b"), grown(city)
    answers = [machine.ask("POST", "/v3/challenge", keep=True) for _ in range(KIOSK_BURST * 3)]
    assert {status for status, _ in answers} == {200, 429}
    assert next(answer for status, answer in answers if status == 429) == {"code": "kiosk.too_many"}
    assert isinstance(other.enter(), p.Resident)
    assert grown(city) - before < 256 * 1024


def test_slow_bodies_take_one_box_its_places_and_no_other(city: IssuerAtCityHall, name: str) -> None:
    files, other = city.enrolled(name), city.kiosk(f"{name}-b")
    with ExitStack() as stack:
        for _ in range(KIOSK_CONCURRENT):
            stack.enter_context(rogue(city, files).half_a_body())
        assert eventually(lambda: rogue(city, files).ask("POST", "/v3/challenge")[0] == 429)
        assert other.port.health().ready


def eventually(holds: object) -> bool:
    """The suite's own time-out bounds the waiting."""
    assert callable(holds)
    while not holds():
        pass
    return True


def grown(city: IssuerAtCityHall) -> int:
    """Bytes of the issuer's database and its log."""
    return sum(file.stat().st_size for file in city.ledger.parent.glob("ledger.db*") if not file.name.endswith("shm"))


def test_a_request_that_nginx_did_not_ask_city_hall_about_is_refused(city: IssuerAtCityHall, name: str) -> None:
    """As an nginx with another configuration would pass it: only who may open the socket can do this at all."""
    headers = spoofed(city.enrolled(name).certificate)
    at_socket = RogueKiosk(str(city.state / ISSUER_SOCKET))
    assert at_socket.outcome_of_all() == REFUSED
    assert at_socket.outcome_of_all({**headers, "X-Hiroba-Admitted": ""}) == REFUSED
    assert at_socket.outcome_of_all({**headers, "X-Hiroba-Listener": "boxes"}) == REFUSED


def test_by_the_local_socket_one_is_this_box_whatever_one_says(city: IssuerAtCityHall, name: str) -> None:
    victim = city.kiosk(name)
    request = victim.ordered(visit := victim.enter())
    local = RogueKiosk(str(city.state / LOCAL_SOCKET))
    said = local.ask(
        "POST", f"/v3/requests/{request}/document", {"visit": visit.visit}, spoofed(victim.files.certificate)
    )
    assert said == (404, {"code": "request.unknown"})
    own = city.own_kiosk
    here = own.enter()
    assert isinstance(own.document(here, own.ordered(here)), p.Document)
    assert own.name == HERE


@pytest.mark.needs("root")
def test_another_user_of_the_machine_opens_neither_socket(city: IssuerAtCityHall) -> None:
    for path in (ISSUER_SOCKET, LOCAL_SOCKET):
        command = [sys.executable, "-m", "tests.attacks.rogue_kiosk", str(city.state / path)]
        met = subprocess.run(command, capture_output=True, check=True, user=65534, group=65534, cwd=ROOT)
        assert json.loads(met.stdout) == {"met": "PermissionError"}


def test_while_city_hall_does_not_answer_nobody_is_served(city: IssuerAtCityHall, name: str) -> None:
    kiosk = city.kiosk(name)
    visit = kiosk.enter()
    city.hall.stop_service()
    try:
        assert rogue(city, kiosk.files).outcome_of_all() == {(503, "kiosk.not_asked")}
        with pytest.raises(IssuerBroken):
            kiosk.signed(visit)
    finally:
        city.hall.start_service()
    assert isinstance(kiosk.document(visit, kiosk.ordered(visit)), p.Document)


def test_a_kiosk_takes_a_limit_for_what_it_is_and_a_foreign_issuer_for_none(
    city: IssuerAtCityHall, name: str, tmp_path: Path
) -> None:
    files = city.enrolled(name)
    kiosk = city.kiosk(name, files)
    with pytest.raises(IssuerBusy):
        [kiosk.port.challenge() for _ in range(KIOSK_BURST * 3)]
    other = make_authority("TEST other", ["localhost", ADDRESS], SystemClock().now())
    (tmp_path / "other.pem").write_text(other.pem)
    misled = city.kiosk(name, files._replace(ca=tmp_path / "other.pem"))
    with pytest.raises(IssuerUnreachable):
        misled.port.health()
    assert msgspec.json.encode(INVALID) == b'{"refused":"order_invalid"}'
