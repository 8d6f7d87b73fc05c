"""Fifty boxes join the real service of city hall over mutual TLS, on SQLite and on PostgreSQL; and who cannot."""

from __future__ import annotations

import http.client
import json
import shutil
import ssl
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from device.clock import HeldClock, SystemClock
from device.logs import open_log
from device.sender import LineDown
from provisioning.cityhall.accounts.log_ins import Complete
from provisioning.cityhall.boxes.authority import key_of_request, make_authority
from provisioning.cityhall.errors import EnrolmentRefused
from provisioning.cityhall.settings import CityHallLinkSettings
from provisioning.cityhall.tables import Box
from provisioning.cityhall.wiring import open_authority
from provisioning.cli import hiroba
from provisioning.enrolment.heartbeat import make_heartbeat
from provisioning.enrolment.wiring import BoxConnection, open_connection
from provisioning.site.model import Site
from provisioning.site.reading import read_site
from tests.fixtures.cityhall_server import CityHallServer
from tests.fixtures.postgres import PrivatePostgres

pytestmark = pytest.mark.needs("nginx")
MANY = 50


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.needs("postgresql"))])
def hall(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[CityHallServer]:
    if request.param == "sqlite":
        with CityHallServer(tmp_path) as server:
            yield server
    else:
        with PrivatePostgres() as postgres, CityHallServer(tmp_path, postgres.new_database()) as server:
            yield server


@pytest.fixture
def small_hall(tmp_path: Path) -> Iterator[CityHallServer]:
    with CityHallServer(tmp_path, workers=1) as server:
        yield server


def site_file(folder: Path, name: str, hall: CityHallServer) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "site.toml"
    file.write_text(
        f'[box]\nname = "{name}"\n[city]\nname_ja = "試験市"\nname_en = "TEST"\ntelephone = "06-0000-0000"\n'
        f'[cityhall_link]\nhost = "localhost"\nca = "{hall.ca}"\n'
        f"enrol_port = {hall.settings.enrol_port}\nbox_port = {hall.settings.box_port}\n"
    )
    return file


def line_of(folder: Path, name: str, hall: CityHallServer) -> BoxConnection:
    site: Site = read_site(site_file(folder, name, hall))
    link = site.cityhall_link
    assert isinstance(link, CityHallLinkSettings)
    return open_connection(site, link, folder, SystemClock(), open_log("test"))


def join(folder: Path, name: str, hall: CityHallServer) -> BoxConnection:
    """Code, question, staff's yes, credential."""
    line = line_of(folder, name, hall)
    code = hall.service.records.new_code(name, "jiro", int(SystemClock().now().timestamp()), 30)
    assert line.steps.enrol(code) is None
    assert hall.service.enrolments.approve(line.steps.identity.pending(), "hanako")
    credential = line.steps.poll()
    assert credential is not None
    assert credential.box == name
    return line


def box_of(hall: CityHallServer, name: str) -> Box:
    found = hall.service.records.box(name)
    assert found is not None
    return found


def exchange(
    hall: CityHallServer, line: BoxConnection | None, path: str, headers: dict[str, str] | None = None
) -> tuple[int, dict[str, object]]:
    """A bare call at the boxes' port with the box's credential, or with none."""
    context = ssl.create_default_context(cafile=str(hall.ca))
    context.verify_flags |= ssl.VERIFY_X509_STRICT  # the default from Python 3.13 on
    if line:
        context.load_cert_chain(line.steps.identity.certificate_file, line.steps.identity.key_file)
    connection = http.client.HTTPSConnection("localhost", hall.settings.box_port, context=context, timeout=15)
    try:
        body = json.dumps({"sent_at": 0, "messages": []})
        connection.request("POST", path, body, {"Content-Type": "application/json", **(headers or {})})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def test_fifty_boxes_join_and_each_heartbeat_counts_once(hall: CityHallServer, tmp_path: Path) -> None:
    def one(number: int) -> BoxConnection:
        name = f"plaza-{number}"
        line = join(tmp_path / name, name, hall)
        for _ in range(3):
            line.outbox.keep(make_heartbeat(line.sources))
        batch = line.outbox.batch()
        line.steps.city_hall.post(batch)  # the answer is lost
        assert line.sender.flush() == 0  # and all of it is sent again
        return line

    lines = [one(0)]  # alone: a box is one process with one thread, and msgspec wants to meet its types in one
    with ThreadPoolExecutor(8) as pool:
        lines += pool.map(one, range(1, MANY))
    assert len(lines) == MANY
    boxes = hall.service.records.boxes()
    assert [b.heartbeats for b in boxes] == [3] * MANY
    assert hall.service.records.counted() == 3 * MANY
    assert len({b.key for b in boxes}) == MANY
    assert "cityhall_fault" not in hall.log()


@pytest.mark.needs("postgresql")
def test_while_the_database_is_away_nothing_is_lost_and_afterwards_all_goes_on(tmp_path: Path) -> None:
    with PrivatePostgres() as postgres, CityHallServer(tmp_path, postgres.new_database()) as hall:
        line = join(tmp_path / "a", "plaza-a", hall)
        postgres.stop()
        assert line.sender.tell(make_heartbeat(line.sources)) == 1
        assert exchange(hall, line, "/api/v1/messages") == (503, {"refused": "fault"})
        assert staff_page(hall) == (500, True)
        postgres.start()
        assert line.sender.tell(make_heartbeat(line.sources)) == 0
        assert box_of(hall, "plaza-a").heartbeats == 2
        assert staff_page(hall) == (200, False)


@pytest.mark.needs("postgresql")
def test_two_machines_share_one_database_and_either_may_answer(tmp_path: Path) -> None:
    with PrivatePostgres() as postgres, CityHallServer(tmp_path / "one", postgres.new_database(), workers=1) as one:
        shutil.copytree(one.ca.parent, tmp_path / "two" / "hall" / "fleet" / "ca")  # as the README says
        with CityHallServer(tmp_path / "two", one.settings.database, workers=1) as two:
            join(tmp_path / "a", "plaza-a", one)
            line = line_of(tmp_path / "a", "plaza-a", two)
            assert line.sender.tell(make_heartbeat(line.sources)) == 0
            assert box_of(one, "plaza-a").heartbeats == 1
            one.service.staff.set_password("hanako", "correct horse battery")
            begun = one.service.pages.log_ins.begin("hanako", "correct horse battery", "")
            assert isinstance(begun, Complete)
            assert two.service.staff.who(begun.token, "") == one.service.staff.who(begun.token, "")
            two.service.enrolments.revoke("plaza-a", "hanako")
            assert exchange(one, line, "/api/v1/messages") == (403, {"refused": "box_revoked"})


def staff_page(hall: CityHallServer) -> tuple[int, bool]:
    """(status of the log-in as one without a password, whether it says that the server has a problem)."""
    context = ssl.create_default_context(cafile=str(hall.ca))
    connection = http.client.HTTPSConnection("localhost", hall.settings.staff_port, context=context, timeout=15)
    try:
        connection.request("GET", "/login", headers={"Cookie": "__Host-hiroba-staff=TEST"})
        answer = connection.getresponse()
        return answer.status, "サーバーで問題が起きました" in answer.read().decode()
    finally:
        connection.close()


def test_a_revoked_box_is_refused_and_a_reflashed_one_is_known(hall: CityHallServer, tmp_path: Path) -> None:
    line, other = join(tmp_path / "a", "plaza-a", hall), join(tmp_path / "b", "plaza-b", hall)
    hall.service.enrolments.revoke("plaza-a", "hanako")
    assert line.sender.tell(make_heartbeat(line.sources)) == 1
    assert exchange(hall, line, "/api/v1/messages") == (403, {"refused": "box_revoked"})
    with pytest.raises(EnrolmentRefused):
        line.steps.next_step(force=True)

    other.steps.identity.certificate_file.unlink()  # a new card in the box; the key's partition survived
    code = hall.service.records.new_code("plaza-b", "jiro", int(SystemClock().now().timestamp()), 30)
    assert other.steps.enrol(code) is not None
    assert exchange(hall, other, "/api/v1/messages")[0] == 200


def test_without_a_credential_of_the_city_the_handshake_is_the_end(small_hall: CityHallServer, tmp_path: Path) -> None:
    with pytest.raises((ssl.SSLError, ConnectionError)):
        exchange(small_hall, None, "/api/v1/messages")
    line = join(tmp_path / "a", "plaza-a", small_hall)
    assert exchange(small_hall, line, "/api/v1/messages")[0] == 200
    key = key_of_request(line.steps.identity.request("plaza-a"))
    assert key is not None
    foreign = make_authority("TEST other", ["localhost"], SystemClock().now()).issue_box(
        "plaza-a", key, SystemClock().now(), 30
    )
    line.steps.identity.certificate_file.write_bytes(foreign.public_bytes(Encoding.PEM))
    with pytest.raises((ssl.SSLError, ConnectionError)):
        exchange(small_hall, line, "/api/v1/messages")


def test_a_header_can_not_stand_in_for_a_credential(small_hall: CityHallServer, tmp_path: Path) -> None:
    victim, attacker = join(tmp_path / "a", "plaza-a", small_hall), join(tmp_path / "b", "plaza-b", small_hall)
    small_hall.service.enrolments.revoke("plaza-b", "hanako")
    pem = victim.steps.identity.certificate_file.read_text().replace("\n", " ")
    names = ("SSL_CLIENT_CERT", "hiroba.peer", "Hiroba-Peer", "X-SSL-Client-Cert", "X-Forwarded-Client-Cert")
    for name in names:
        status, answer = exchange(small_hall, attacker, "/api/v1/messages", {name: pem, "X-Forwarded-For": "10.0.0.1"})
        assert (status, answer) == (403, {"refused": "box_revoked"}), name
    assert box_of(small_hall, "plaza-a").seen_at is None


def test_each_door_opens_only_its_own_rooms(small_hall: CityHallServer, tmp_path: Path) -> None:
    line = join(tmp_path / "a", "plaza-a", small_hall)
    assert exchange(small_hall, line, "/login")[0] == 404
    assert exchange(small_hall, line, "/api/v1/enrol")[0] == 404
    context = ssl.create_default_context(cafile=str(small_hall.ca))
    for port in (small_hall.settings.staff_port, small_hall.settings.enrol_port):
        connection = http.client.HTTPSConnection("localhost", port, context=context, timeout=15)
        connection.request(
            "POST", "/api/v1/messages", "{}", {"Hiroba-Door": "boxes", "Content-Type": "application/json"}
        )
        answer = connection.getresponse()
        assert answer.status == 404
        connection.close()


def test_an_expired_credential_is_refused_and_the_box_asks_staff_by_itself(
    small_hall: CityHallServer, tmp_path: Path
) -> None:
    line = join(tmp_path / "a", "plaza-a", small_hall)
    identity, clock = line.steps.identity, HeldClock(SystemClock().now() - timedelta(days=60))
    old = x509.load_pem_x509_certificate(identity.certificate_file.read_bytes())
    authority = open_authority(small_hall.settings, small_hall.state, SystemClock())
    key = key_of_request(identity.request("plaza-a"))
    assert key is not None
    expired = authority.issue_box("plaza-a", key, clock.now(), 30)
    identity.certificate_file.write_bytes(expired.public_bytes(Encoding.PEM))
    assert expired.serial_number != old.serial_number
    with pytest.raises(LineDown):
        line.steps.city_hall.renew(identity.request("plaza-a"))
    assert line.steps.next_step() is None  # expired: staff must say yes
    assert [e.kind for e in small_hall.service.records.pending()] == ["returning"]
    assert small_hall.service.enrolments.approve(identity.pending(), "hanako")
    assert line.steps.next_step() is not None
    assert exchange(small_hall, line, "/api/v1/messages")[0] == 200


def test_the_command_line_enrols_renews_and_reports(small_hall: CityHallServer, tmp_path: Path) -> None:
    folder = tmp_path / "box"
    site = site_file(folder, "plaza-a", small_hall)

    def run(*arguments: str) -> tuple[int, str]:
        result = CliRunner().invoke(hiroba, [*arguments, "--config", str(site), "--state", str(folder)])
        return result.exit_code, result.output

    assert run("enrol", "status")[0] == 1
    assert run("heartbeat")[0] == 0  # kept until there is a line
    code = small_hall.service.records.new_code("plaza-a", "jiro", int(SystemClock().now().timestamp()), 30)
    exit_code, said = run("enrol", "--code", code)
    assert exit_code == 0
    (pending,) = small_hall.service.records.pending()
    assert line_of(folder, "plaza-a", small_hall).steps.identity.fingerprint() in said
    small_hall.service.enrolments.approve(pending.id, "hanako")
    assert run("enrol")[0] == 0
    assert run("enrol", "status")[0] == 0
    before = box_of(small_hall, "plaza-a").certificate_serial
    assert run("enrol", "renew")[0] == 0
    assert box_of(small_hall, "plaza-a").certificate_serial == before  # not time yet
    assert run("enrol", "renew", "--force")[0] == 0
    assert box_of(small_hall, "plaza-a").certificate_serial != before
    assert json.loads(run("heartbeat", "--json")[1])["waiting"] == 0
    assert box_of(small_hall, "plaza-a").heartbeats == 2


def heartbeat(site: Path, folder: Path) -> int:
    """By the command; the messages that still wait."""
    result = CliRunner().invoke(hiroba, ["heartbeat", "--json", "--config", str(site), "--state", str(folder)])
    assert result.exit_code == 0, result.output
    return int(json.loads(result.stdout.splitlines()[-1])["waiting"])


def test_a_seeded_box_comes_home_by_its_heartbeats_alone(small_hall: CityHallServer, tmp_path: Path) -> None:
    folder = tmp_path / "box"
    site, code_file = site_file(folder, "plaza-a", small_hall), folder / "enrolment" / "code"
    code_file.parent.mkdir()
    code_file.write_text(
        small_hall.service.records.new_code("plaza-a", "jiro", int(SystemClock().now().timestamp()), 30) + "\n"
    )
    right = site.read_text()
    site.write_text(right.replace(f"enrol_port = {small_hall.settings.enrol_port}", "enrol_port = 1"))
    assert heartbeat(site, folder) == 1  # the line is down: the code stays
    assert code_file.exists()
    site.write_text(right)
    assert heartbeat(site, folder) == 2  # asked; staff have to look
    assert not code_file.exists()
    (pending,) = small_hall.service.records.pending()
    small_hall.service.enrolments.approve(pending.id, "hanako")
    assert heartbeat(site, folder) == 0
    assert box_of(small_hall, "plaza-a").heartbeats == 3


def test_a_seed_s_code_that_city_hall_refuses_is_not_tried_for_ever(small_hall: CityHallServer, tmp_path: Path) -> None:
    folder = tmp_path / "box"
    site, code_file = site_file(folder, "plaza-a", small_hall), folder / "enrolment" / "code"
    code_file.parent.mkdir()
    code_file.write_text("0000-0000-0000-0000\n")
    assert heartbeat(site, folder) == 1
    assert not code_file.exists()


def test_a_question_that_city_hall_has_forgotten_is_not_waited_for(small_hall: CityHallServer, tmp_path: Path) -> None:
    line = line_of(tmp_path / "a", "plaza-a", small_hall)
    line.steps.identity.wait_for("0" * 32)
    with pytest.raises(EnrolmentRefused):
        line.steps.next_step()
    assert line.steps.identity.pending() == ""


def test_a_box_does_not_talk_to_a_false_city_hall(small_hall: CityHallServer, tmp_path: Path) -> None:
    line = line_of(tmp_path / "a", "plaza-a", small_hall)
    other = make_authority("TEST other", ["localhost"], SystemClock().now())
    shutil.copyfile(small_hall.ca, tmp_path / "kept.pem")
    small_hall.ca.write_text(other.pem)
    try:
        with pytest.raises(LineDown, match="server_not_trusted"):
            line.steps.enrol("0000-0000-0000-0000")
    finally:
        shutil.copyfile(tmp_path / "kept.pem", small_hall.ca)


def test_a_code_for_another_name_is_not_taken_by_the_box(small_hall: CityHallServer, tmp_path: Path) -> None:
    line = line_of(tmp_path / "a", "plaza-a", small_hall)
    code = small_hall.service.records.new_code("plaza-b", "jiro", int(SystemClock().now().timestamp()), 30)
    with pytest.raises(EnrolmentRefused, match="other_name"):
        line.steps.enrol(code)
    with pytest.raises(EnrolmentRefused, match="code_unknown"):
        line.steps.enrol("0000-0000-0000-0000")
