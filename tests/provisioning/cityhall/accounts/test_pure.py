"""Codes, limits and roles, without a database."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.cityhall.accounts.authenticator_app import STEP_SECONDS, code_at, new_secret, step_of
from provisioning.cityhall.accounts.limits import MAX_TRIES, SLOW_SECONDS, Counted, admits, network_of
from provisioning.cityhall.accounts.recovery_codes import hash_for, make_codes
from provisioning.cityhall.accounts.roles import Role, needs_second_person
from provisioning.cityhall.accounts.security_key import RelyingParty, credential_of, registered, relying_party

RFC_SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"  # "12345678901234567890", RFC 6238 appendix B
PARTY = RelyingParty("localhost", ("https://localhost:8443",), "TEST")


@pytest.mark.parametrize(
    ("seconds", "code"),
    [(59, "287082"), (1111111109, "081804"), (1234567890, "005924"), (2000000000, "279037"), (20000000000, "353130")],
)
def test_codes_are_those_of_the_standard(seconds: int, code: str) -> None:
    assert code_at(RFC_SECRET, seconds) == code


def test_a_code_is_good_for_its_step_and_its_neighbours_and_once() -> None:
    secret, now = new_secret(), 1_800_000_000
    code, step = code_at(secret, now), now // STEP_SECONDS
    assert [step_of(secret, code, now + d, -1) for d in (-60, -30, 0, 30, 60)] == [None, step, step, step, None]
    assert step_of(secret, f"{code[:3]} {code[3:]}", now, step - 1) == step
    assert step_of(secret, code, now, step) is None


@given(st.text(max_size=12))
def test_only_six_ascii_digits_are_looked_at(typed: str) -> None:
    step = step_of(RFC_SECRET, typed, 59, -1)
    assert step is None or (typed.replace(" ", "").isascii() and len(typed.replace(" ", "")) == 6)


def test_recovery_codes_are_forgiving_to_hands_and_bound_to_a_person() -> None:
    codes = make_codes()
    assert len(set(codes)) == 10
    typed = codes[0].lower().replace("-", " ").replace("0", "o").replace("1", "l")
    assert hash_for("hanako", typed) == hash_for("hanako", codes[0]) != hash_for("jiro", codes[0])


def tries(pair: int = 0, address: int = 0, name: int = 0) -> dict[Counted, int]:
    return {Counted.PAIR: pair, Counted.ADDRESS: address, Counted.NAME: name}


@pytest.mark.parametrize(
    ("so_far", "known", "idle", "admitted"),
    [
        (tries(), False, 0, True),
        (tries(pair=MAX_TRIES[Counted.PAIR]), True, 10**6, False),
        (tries(address=MAX_TRIES[Counted.ADDRESS]), False, 10**6, False),
        (tries(address=10**6, name=10**6), True, 0, True),
        (tries(name=MAX_TRIES[Counted.NAME]), False, SLOW_SECONDS - 1, False),
        (tries(name=MAX_TRIES[Counted.NAME]), False, SLOW_SECONDS, True),
    ],
)
def test_what_is_let_through(so_far: dict[Counted, int], known: bool, idle: int, admitted: bool) -> None:
    assert admits(so_far, known=known, name_idle_seconds=idle) is admitted


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("192.0.2.1", "::ffff:192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("fe80::1%eth0", "fe80::2", True),
        ("", "", True),
    ],
)
def test_who_holds_a_network_of_ipv6_is_one_address(one: str, other: str, same: bool) -> None:
    assert (network_of(one) == network_of(other)) is same


def test_only_giving_something_grave_takes_two() -> None:
    two = {(now, then) for now in Role for then in Role if needs_second_person(now, then)}
    view, operate, approve, administer = Role
    assert two == {
        (view, approve),
        (view, administer),
        (operate, approve),
        (operate, administer),
        (approve, administer),
    }


@given(st.text(max_size=400) | st.binary(max_size=200).map(lambda raw: raw.decode("latin-1")))
def test_no_answer_of_a_browser_breaks_the_door(answer: str) -> None:
    assert registered(PARTY, "AAAA", answer) is None
    assert credential_of(answer) == ""


def test_security_keys_need_a_name() -> None:
    assert relying_party(["192.0.2.1", "::1"], 8443, "") is None
    party = relying_party(["192.0.2.1", "hall.example.jp"], 8443, "")
    assert party is not None
    assert (party.name, party.origins[0]) == ("hall.example.jp", "https://hall.example.jp:8443")
