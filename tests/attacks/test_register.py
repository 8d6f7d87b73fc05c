"""An insider at the register: what was seen to work on the project as it stood, and what would be tried next."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from device.card.credential import identity
from device.card.virtual.pki import TestPki
from device.secrets import Secret
from kiosk.issuer.register.synthetic_people import population
from kiosk.shell.staff_code import hash_staff_code
from tests.attacks.city_register import CODES, CityRegister, trust_the_signing_authority

VICTIM, THIEF = "R00001", "R00014"


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> TestPki:
    made = TestPki(tmp_path_factory.mktemp("pki"))
    made.ensure(["demo", "demo2", "expired", "unknown_ca"])
    return made


@pytest.fixture
def city(tmp_path: Path, pki: TestPki) -> Iterator[CityRegister]:
    yield CityRegister.make(tmp_path, pki)
    (pki.trust / "TEST-sign-2.pem").unlink(missing_ok=True)


def holder(city: CityRegister, card: str) -> str | None:
    return city.register().resolve(*identity(city.pki.credential(card)))


def refusals(city: CityRegister) -> list[object]:
    return [facts["code"] for event, facts in city.audit() if event == "register_refused"]


def test_a_signing_credential_is_not_linked(city: CityRegister) -> None:
    told = city.run("link", city.card("demo", "sign"), VICTIM)
    assert told.code == 1
    assert "署名用" in told.text
    assert refusals(city) == ["register.credential_signing"]


def test_nor_is_one_when_its_authority_lies_among_the_trusted_ones(city: CityRegister) -> None:
    trust_the_signing_authority(city)
    assert city.run("link", city.card("demo", "sign"), VICTIM).code == 1
    assert city.register().linked(VICTIM) == []


@pytest.mark.parametrize(("card", "code"), [("unknown_ca", "chain"), ("expired", "expired")])
def test_a_card_of_an_unknown_authority_and_one_that_is_over_are_not_linked(
    city: CityRegister, card: str, code: str
) -> None:
    assert city.run("link", city.card(card), VICTIM).code == 1
    assert city.register().linked() == []
    assert refusals(city) == [f"register.credential_{code}"]


def test_a_card_does_not_move_to_another_resident_without_a_word(city: CityRegister) -> None:
    assert city.run("link", city.card("demo"), VICTIM).code == 0
    told = city.run("link", city.card("demo"), THIEF)
    assert told.code == 1
    assert VICTIM in told.text
    assert THIEF in told.text
    assert holder(city, "demo") == VICTIM


def test_nor_by_unlinking_it_first(city: CityRegister) -> None:
    city.run("link", city.card("demo"), VICTIM)
    (_, linked), *_ = [line for line in city.audit() if line[0] == "register_linked"]
    assert city.run("unlink", str(linked["credential"])).code == 0
    assert city.run("link", city.card("demo"), THIEF).code == 1
    assert holder(city, "demo") is None


def test_nor_in_a_file_of_many(city: CityRegister, tmp_path: Path) -> None:
    city.run("link", city.card("demo"), VICTIM)
    (tmp_path / "card.der").write_bytes(city.pki.credential("demo"))
    (tmp_path / "many.csv").write_text(f"resident,credential\n{THIEF},card.der\n")
    assert city.run("link-many", str(tmp_path / "many.csv")).code == 1
    assert holder(city, "demo") == VICTIM


def test_a_move_waits_for_a_second_person(city: CityRegister) -> None:
    city.run("link", city.card("demo"), VICTIM)
    request = city.asked("link", city.card("demo"), THIEF, "--move")
    assert holder(city, "demo") == VICTIM
    assert city.run("approve", request).code == 1, "who asked"
    assert city.run("approve", request, by="s-1002", code="s-1001").code == 1, "in another's name, by one's own code"
    assert holder(city, "demo") == VICTIM
    assert city.run("approve", request, by="s-1002").code == 0
    assert holder(city, "demo") == THIEF


def test_a_move_that_was_approved_is_not_made_again(city: CityRegister) -> None:
    city.run("link", city.card("demo"), VICTIM)
    request = city.asked("link", city.card("demo"), THIEF, "--move")
    city.run("approve", request, by="s-1002")
    assert city.run("approve", request, by="s-1002").code == 1


def test_what_changed_since_it_was_asked_for_is_not_approved(city: CityRegister) -> None:
    city.run("link", city.card("demo"), VICTIM)
    request = city.asked("link", city.card("demo"), THIEF, "--move")
    (_, linked), *_ = [line for line in city.audit() if line[0] == "register_linked"]
    city.run("unlink", str(linked["credential"]))
    assert city.run("approve", request, by="s-1002").code == 1
    assert holder(city, "demo") is None


def test_one_person_alone_does_not_lift_a_restriction(city: CityRegister) -> None:
    city.run("restrict", VICTIM)
    request = city.asked("restrict", VICTIM, "--lift")
    assert city.run("approve", request).code == 1
    house = city.register().household_of(VICTIM)
    assert house is not None
    assert house.restricted == {VICTIM}
    assert city.run("approve", request, by="s-1002").code == 0
    house = city.register().household_of(VICTIM)
    assert house is not None
    assert house.restricted == frozenset()


@pytest.mark.parametrize("name", ["S-1001", "s-1001 ", "ｓ-1001", "s-9999", "root"])
def test_another_spelling_of_ones_own_name_is_no_second_person(city: CityRegister, name: str) -> None:
    city.run("restrict", VICTIM)
    request = city.asked("restrict", VICTIM, "--lift")
    assert city.run("approve", request, by=name, code="s-1001").code == 1
    assert city.register().household_of(VICTIM).restricted == {VICTIM}  # type: ignore[union-attr]


def test_one_code_under_two_names_is_no_second_person(city: CityRegister) -> None:
    city.run("restrict", VICTIM)
    request = city.asked("restrict", VICTIM, "--lift")
    again = hash_staff_code(Secret(CODES["s-1001"].encode()))
    with (city.folder / "site.toml").open("a") as site:
        site.write(f'[[issuer.operators]]\nname = "s-1003"\ncode_hash = "{again}"\n')
    assert city.run("approve", request, by="s-1003", code="s-1001").code == 1
    assert refusals(city) == ["register.code_shared"]


def test_asking_by_a_file_whose_a_card_is_leaves_a_line(city: CityRegister, tmp_path: Path) -> None:
    city.run("link", city.card("demo"), VICTIM)
    (tmp_path / "card.der").write_bytes(city.pki.credential("demo"))
    (tmp_path / "many.csv").write_text(f"resident,credential\n{THIEF},card.der\n")
    before = len(city.audit())
    city.run("link-many", str(tmp_path / "many.csv"), "--dry-run")
    assert [facts["what"] for _, facts in city.audit()[before:]] == ["link_file"]


def test_where_nobody_has_a_code_nothing_is_lifted_or_moved(tmp_path: Path, pki: TestPki) -> None:
    city = CityRegister.make(tmp_path, pki, operators=False)
    city.run("restrict", VICTIM)
    city.run("link", city.card("demo"), VICTIM)
    assert city.run("restrict", VICTIM, "--lift").code == 1
    assert city.run("link", city.card("demo"), THIEF, "--move").code == 1
    assert {facts["proven"] for _, facts in city.audit()} == {False}


def test_a_revoked_card_is_not_made_good_by_linking_it_again_or_by_one_person(city: CityRegister) -> None:
    city.run("link", city.card("demo"), VICTIM)
    assert city.run("revoke", city.card("demo")).code == 0
    assert city.run("link", city.card("demo"), VICTIM).code == 1
    (_, revoked), *_ = [line for line in city.audit() if line[0] == "register_revoked"]
    request = city.asked("revoke", str(revoked["credential"]), "--lift")
    assert city.register().is_revoked(*identity(city.pki.credential("demo")))
    assert city.run("approve", request, by="s-1002").code == 0
    assert not city.register().is_revoked(*identity(city.pki.credential("demo")))


def test_a_new_card_ends_the_former_one_unless_both_are_stated(city: CityRegister) -> None:
    city.run("link", city.card("demo"), VICTIM)
    assert city.run("link", city.card("demo2"), VICTIM).code == 0
    assert (holder(city, "demo"), holder(city, "demo2")) == (None, VICTIM)
    city.run("link", city.card("demo"), VICTIM, "--keep-former")
    assert (holder(city, "demo"), holder(city, "demo2")) == (VICTIM, VICTIM)


def test_no_look_and_no_change_goes_without_its_line(city: CityRegister) -> None:
    before = len(city.audit())
    for words in (["show"], ["show", VICTIM], ["credentials", VICTIM], ["requests"], ["history", VICTIM]):
        assert city.run(*words).code == 0
    city.run("restrict", VICTIM)
    city.run("link", city.card("demo"), VICTIM)
    lines = city.audit()[before:]
    assert [event for event, _ in lines] == ["register_looked"] * 5 + ["register_restricted", "register_linked"]
    assert {(facts["by"], facts["reason"], facts["proven"]) for _, facts in lines} == {("s-1001", "受付 12", True)}


def test_a_look_for_which_no_line_can_be_written_is_not_given(city: CityRegister) -> None:
    city.register()._store.rows("CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'full'); END")
    with pytest.raises(AssertionError, match="full"):
        city.run("show", VICTIM)


@pytest.mark.parametrize("code", ["s-1002", "nobody"])
def test_a_wrong_code_looks_at_nothing_and_is_written_down(city: CityRegister, code: str) -> None:
    (city.folder / "nobody.code").write_text("guess")
    told = city.run("show", VICTIM, code=code)
    assert told.code == 1
    assert "浩一" not in told.text
    assert city.audit()[-1] == ("register_code_refused", {"by": "s-1001", "account": city.audit()[-1][1]["account"]})


@pytest.mark.parametrize(
    "reason",
    [
        "辻 浩一さんの届出",
        "ツジ　コウイチ",
        "辻\U000e0102浩一",
        "美咲 の件",
        "個人番号 1234 5678 9012",
        "",
        "二行\nの理由",
        "x" * 121,
    ],
)
def test_a_reason_that_names_somebody_or_a_number_is_refused_and_not_kept(city: CityRegister, reason: str) -> None:
    before = city.audit()
    assert city.run("show", VICTIM, reason=reason).code == 1
    kept = str(city.audit()[len(before) :])
    assert not any(word in kept for word in ("浩一", "コウイチ", "美咲", "9012"))


def test_the_audit_names_no_resident_and_no_card(city: CityRegister) -> None:
    city.run("link", city.card("demo"), VICTIM)
    city.run("link", city.card("demo"), THIEF)
    city.run("restrict", VICTIM)
    city.asked("restrict", VICTIM, "--lift")
    text = str(city.audit())
    issuer_key, serial = identity(city.pki.credential("demo"))
    resident = population().residents[0]
    for secret in (VICTIM, THIEF, issuer_key, f"{serial:x}", str(serial), resident.name, resident.kana):
        assert secret not in text
