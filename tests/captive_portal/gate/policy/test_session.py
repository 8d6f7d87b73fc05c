"""The arithmetic of opening hours, and addresses to spots."""

from __future__ import annotations

from datetime import datetime

from hypothesis import given
from hypothesis import strategies as st

from captive_portal.gate.policy.session import seconds_until_closing, spot_of
from captive_portal.settings import Ipv6Settings
from device.clock import JST
from tests.captive_portal.gate.sites import MORNING, a_site, a_spot

TIMES = st.builds(lambda h, m: f"{h:02d}:{m:02d}", st.integers(0, 23), st.integers(0, 59))


def test_equal_times_and_the_whole_day_never_close() -> None:
    assert seconds_until_closing(a_spot(), MORNING) == float("inf")
    assert seconds_until_closing(a_spot(opens="07:00", closes="07:00"), MORNING) == float("inf")


def test_a_spot_open_over_midnight_closes_in_the_morning() -> None:
    spot = a_spot(opens="20:00", closes="02:00")
    assert seconds_until_closing(spot, MORNING) is None
    assert seconds_until_closing(spot, MORNING.replace(hour=23)) == 3 * 3600
    assert seconds_until_closing(spot, MORNING.replace(hour=1)) == 3600


@given(TIMES, TIMES, st.datetimes(min_value=MORNING.replace(tzinfo=None), timezones=st.just(JST)))
def test_a_spot_is_open_or_the_swapped_one_is(opens: str, closes: str, at: datetime) -> None:
    if opens == closes:
        return
    day = seconds_until_closing(a_spot(opens=opens, closes=closes), at)
    night = seconds_until_closing(a_spot(opens=closes, closes=opens), at)
    assert (day is None) != (night is None)
    assert 0 < (day or night or 0) <= 86400


def test_an_address_belongs_to_the_spot_whose_network_holds_it() -> None:
    site = a_site()
    found = [spot_of(site, address) for address in ("10.90.3.9", "fd00:90::5", "10.91.0.1", "fd00:91::1", "no address")]
    assert [spot.name if spot else None for spot in found] == ["hall", "hall", None, None, None]


def test_ipv6_that_is_off_belongs_to_no_spot() -> None:
    assert spot_of(a_site(ipv6=Ipv6Settings(network="fd00:90::/64")), "fd00:90::5") is None
