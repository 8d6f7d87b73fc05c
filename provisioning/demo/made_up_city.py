"""The demo's city is made up (見本市): its site file, its residents' addresses."""

from __future__ import annotations

from pathlib import Path

import msgspec

from kiosk.issuer.register.records import Population
from kiosk.issuer.register.synthetic_names import TOWNS
from kiosk.issuer.register.synthetic_people import population
from kiosk.shell.staff_code import hash_staff_code, staff_code_of

CITY_JA, CITY_EN = "見本市", "Mihon City"
STAFF_CODE = "2468"
"""The demo's staff code; for no other box."""
_MADE_UP = f"見本県{CITY_JA}"
_TOWNS = ("ひろば", "見本中央", "見本台", "北見本", "南見本", "見本が丘")


def residents() -> Population:
    """The synthetic residents, living in the made-up city."""
    people = population()
    moved = [msgspec.structs.replace(h, address=_moved(h.address)) for h in people.households]
    return msgspec.structs.replace(people, households=moved)


def _moved(address: str) -> str:
    """The same house in a made-up town."""
    for place, town in enumerate(TOWNS):
        address = address.replace(f"大阪府摂津市{town}", _MADE_UP + _TOWNS[place % len(_TOWNS)])
    return address.replace("摂津", "見本")


def lives_here(address: str) -> bool:
    """Whether an address is of the made-up city: a demo's state may be older than it."""
    return address.startswith(_MADE_UP)


def kiosk_sections(*, kiosk: int, receipt: int, page: int, terminal: str, trust: Path) -> str:
    """The site file of a kiosk with its own issuer on these ports. trust: folder of the TEST CA."""
    return f"""# Written by the demo at every start.
[box]
name = "demo-1"
lone = true

[city]
name_ja = "{CITY_JA}"
name_en = "{CITY_EN}"
telephone = "06-0000-0000"

[receipt_printer]
port = {receipt}

[page_printer]
uri = "ipp://127.0.0.1:{page}/ipp/print"

[issuer_link]
url = ""

[kiosk]
port = {kiosk}
terminal = "{terminal}"
opens = "00:00"
closes = "00:00"
staff_code_hash = "{hash_staff_code(staff_code_of(STAFF_CODE))}"

[issuer]
trust = {_quoted(str(trust))}
mayor = "{CITY_JA}長　見本　太郎"
municipality_code = "27999"
seal_name = "TEST {CITY_EN}"
specimen = true
"""


def wifi_sections(*, portal: int, stats: int) -> str:
    """Wi-Fi at two spots; at the first one the phone is a browser on this machine."""
    return f"""
[wifi.portal]
host = "127.0.0.1"
port = {portal}
provider_ja = "{CITY_JA}"
provider_en = "{CITY_EN}"
contact = "06-0000-0000"
shelters = ["見本小学校（見本１丁目）", "見本市民センター"]

[wifi.stats]
port = {stats}
collect_seconds = 2.0
{_spot("hall", "市民ひろば", "Civic Plaza", "127.0.0.1", 8)}{_spot("library", "図書館", "Library", "10.90.0.1", 24)}"""


def city_hall_file(*, staff: int, enrol: int, boxes: int) -> str:
    """The settings of city hall's service. A box is silent after a day, since a stopped demo sends no heartbeat. Its
    account is logged in to by name and password: a second factor can be registered and tried out, and need not be.
    """
    return f"""# Written by the demo at every start.
[cityhall]
host = "127.0.0.1"
names = ["localhost", "127.0.0.1"]
city_name = "{CITY_JA}"
staff_port = {staff}
enrol_port = {enrol}
box_port = {boxes}
silent_minutes = 1440
second_factor = "optional"

[cityhall.places]
mihon-hall-1 = ["市民ひろば", "Civic Plaza"]
mihon-library-1 = ["図書館", "Library"]
mihon-station-1 = ["駅前サービスコーナー", "Station service corner"]
mihon-east-1 = ["東公民館", "East community centre"]
"""


def _spot(name: str, title_ja: str, title_en: str, gateway: str, prefix: int) -> str:
    return f"""
[[wifi.spots]]
name = "{name}"
title_ja = "{title_ja}"
title_en = "{title_en}"
interface = "br-{name}"
uplink = "eth0"
login = ["one_tap", "voucher"]
ipv4 = {{ gateway = "{gateway}", prefix = {prefix} }}
ssids = [{{ ssid = "Mihon_Free_Wi-Fi", interface = "wlan-{name}" }}]
"""


def _quoted(text: str) -> str:
    return msgspec.json.encode(text).decode()
