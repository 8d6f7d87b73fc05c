"""The [wifi] section of the site file: spots, limits, portal, mail. Read by gate, portal, stats and the renderers.
Paths are relative to the state folder unless absolute; ``Path(state) / path`` does both.
"""

from __future__ import annotations

import ipaddress
from typing import Annotated, Literal, NamedTuple

import msgspec

from device.settings import Section

HourMinute = Annotated[str, msgspec.Meta(pattern="^([01][0-9]|2[0-3]):[0-5][0-9]$|^24:00$")]
InterfaceName = Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9_.@-]{1,15}$")]
SpotName = Annotated[str, msgspec.Meta(pattern="^[a-z0-9][a-z0-9_-]{0,31}$")]
Ipv4Address = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{1,3}(\.[0-9]{1,3}){3}$")]
Ipv6Text = Annotated[str, msgspec.Meta(pattern="^([0-9a-f:]+(/[0-9]{1,3})?)?$")]
Network = Annotated[str, msgspec.Meta(pattern="^[0-9a-f:.]+/[0-9]{1,3}$")]
Port = Annotated[int, msgspec.Meta(ge=1, le=65535)]
Natural = Annotated[int, msgspec.Meta(ge=0)]
Login = Literal["one_tap", "email_code", "voucher"]


class LoginMethodFacts(NamedTuple):
    """What gate and statistics know of a log-in method. refusals: codes for which the portal refuses its form (the
    sentence is ``error_CODE``); extendable: whether a session by it may be extended.
    """

    refusals: tuple[str, ...] = ()
    extendable: bool = True


LOGIN_METHODS: dict[str, LoginMethodFacts] = {
    "one_tap": LoginMethodFacts(),
    "email_code": LoginMethodFacts(refusals=("address", "code", "code_over", "mail", "too_many")),
    "voucher": LoginMethodFacts(refusals=("voucher", "voucher_expired", "voucher_used", "too_many"), extendable=False),
}
"""A row for each Login; the order is the one in which statistics show them."""


class Ipv4Settings(Section, frozen=True, kw_only=True):
    """The phones' IPv4 network: gateway is the box's own address on it, prefix its length in bits."""

    gateway: Ipv4Address
    prefix: Annotated[int, msgspec.Meta(ge=8, le=30)] = 24

    def __post_init__(self) -> None:
        """Raises ValueError when the gateway is no address."""
        ipaddress.IPv4Address(self.gateway)


class Ipv6Settings(Section, frozen=True, kw_only=True):
    """The phones' IPv6 network. off (with the reason, for the doctor and the README of the site); routed: ``network``
    is ours to use; masquerade: many to the uplink's one; npt: prefix for prefix, ``network`` to ``uplink_network``.
    network: "2001:db8:1::/64"; gateway: the box's address on it.
    """

    mode: Literal["off", "routed", "masquerade", "npt"] = "off"
    reason: str = "the uplink gives no IPv6"
    network: Ipv6Text = ""
    gateway: Ipv6Text = ""
    uplink_network: Ipv6Text = ""

    def __post_init__(self) -> None:
        """A network without its addresses is no network. Raises ValueError."""
        if self.mode != "off":
            if ipaddress.IPv6Address(self.gateway) not in ipaddress.IPv6Network(self.network):
                raise ValueError("gateway outside network")
            if self.mode == "npt":
                ipaddress.IPv6Network(self.uplink_network)


class DhcpSettings(Section, frozen=True, kw_only=True):
    """Leases of dnsmasq. first..last: IPv4 addresses handed out. leases: dnsmasq's lease file; a phone without a
    lease in it cannot log in.
    """

    first: Ipv4Address
    last: Ipv4Address
    lease_seconds: Annotated[int, msgspec.Meta(ge=120)] = 3600
    leases: str = "dnsmasq/leases"


class SsidSettings(Section, frozen=True, kw_only=True):
    """One radio name. interface: the radio's; passphrase_file: for wpa2, wpa3 and wpa2_wpa3."""

    ssid: Annotated[str, msgspec.Meta(min_length=1, max_length=32)]
    interface: InterfaceName = "wlan0"
    security: Literal["open", "owe", "owe_transition", "wpa2", "wpa3", "wpa2_wpa3"] = "open"
    passphrase_file: str = ""
    channel: Natural = 0
    country: str = "JP"


class LimitSettings(Section, frozen=True, kw_only=True):
    """What a phone may use; 0 means no limit. devices: phones online at once per account (e-mail address or voucher);
    quota_mib: both directions of one session; when_quota: end it or go on at throttle_kbit; rates in kbit/s per phone.
    disaster_kbit: each way per phone in disaster mode, unless the spot's own rate is lower, so that many share fairly.
    """

    minutes_per_visit: Annotated[int, msgspec.Meta(ge=1, le=44640)] = 60
    minutes_per_day: Natural = 0
    devices: Natural = 3
    quota_mib: Natural = 0
    when_quota: Literal["end", "throttle"] = "throttle"
    throttle_kbit: Annotated[int, msgspec.Meta(ge=16)] = 256
    up_kbit: Natural = 0
    down_kbit: Natural = 0
    disaster_kbit: Natural = 2000


class SpotSettings(Section, frozen=True, kw_only=True):
    """One Wi-Fi place. interface faces the phones (often a bridge), uplink faces the Internet. garden: names that
    phones reach before login; dns: resolvers for this spot (a school's filtering ones), empty: the box's own; dns_only:
    phones reach no other resolver.
    closed_networks: behind the uplink, yet not for phones, beside those that are always closed (private and special
    addresses, the uplink's own networks: captive_portal/gate/kernel/closed_networks.py); open_networks: exceptions from
    all of them. opens/closes: JST, daily; equal: always open.
    """

    name: SpotName
    title_ja: str = "ひろば Wi-Fi"
    title_en: str = "Hiroba Wi-Fi"
    interface: InterfaceName
    uplink: InterfaceName
    ipv4: Ipv4Settings
    ipv6: Ipv6Settings = msgspec.field(default_factory=Ipv6Settings)
    dhcp: DhcpSettings | None = None
    ssids: list[SsidSettings] = msgspec.field(default_factory=list)
    login: Annotated[list[Login], msgspec.Meta(min_length=1)] = msgspec.field(default_factory=lambda: ["one_tap"])
    limits: LimitSettings = msgspec.field(default_factory=LimitSettings)
    opens: HourMinute = "00:00"
    closes: HourMinute = "24:00"
    garden: list[str] = msgspec.field(default_factory=list)
    dns: list[str] = msgspec.field(default_factory=list)
    dns_only: bool = False
    closed_networks: list[Network] = msgspec.field(default_factory=list)
    open_networks: list[Network] = msgspec.field(default_factory=list)

    def __post_init__(self) -> None:
        """Raises ValueError where a network is none."""
        for network in (*self.closed_networks, *self.open_networks):
            ipaddress.ip_network(network, strict=False)


class PortalSettings(Section, frozen=True, kw_only=True):
    """The pages. port: plain HTTP, the target of the redirected port 80; tls_port: the RFC 8908 API and pages over TLS,
    reached by phones at https://name/ (443 on the gateway is redirected to it). Without tls_certificate there is no TLS
    listener. host: where to listen; empty: every address. The gate closes both ports to all but the phones. shelters:
    names and addresses of places to flee to, in Japanese, for the page of a disaster.
    """

    host: str = ""
    port: Port = 8180
    tls_port: Port = 8181
    name: str = "wifi.example.jp"
    tls_certificate: str = ""
    tls_key: str = ""
    provider_ja: str = "市役所"
    provider_en: str = "City Hall"
    contact: str = ""
    shelters: list[Annotated[str, msgspec.Meta(max_length=100)]] = msgspec.field(default_factory=list)
    terms_version: str = "1"
    languages: list[str] = msgspec.field(
        default_factory=lambda: ["ja", "ja-easy", "zh-Hans", "zh-Hant", "ko", "vi", "en", "ne"]
    )


class SmtpSettings(Section, frozen=True, kw_only=True):
    """Where codes are mailed through. password_file: relative to state; security none is for a relay on loopback."""

    host: str = "127.0.0.1"
    port: Port = 587
    security: Literal["starttls", "tls", "none"] = "starttls"
    ca_file: str = ""
    user: str = ""
    password_file: str = ""
    sender: str = "wifi@example.jp"


class GateSettings(Section, frozen=True, kw_only=True):
    """The gate's own. socket: unix socket; clients: users that may speak to it beside root and the gate's own user,
    each for what its unit needs (captive_portal/gate/permissions.py); staff: users that may do what root may.
    sample_seconds: how often counters are read; keep_seconds: how often they are written to the database.
    """

    socket: str = "gate/gate.sock"
    database: str = "gate/sessions.db"
    clients: list[str] = msgspec.field(default_factory=lambda: ["hiroba-portal", "hiroba-stats"])
    staff: list[str] = msgspec.field(default_factory=list)
    sample_seconds: Annotated[float, msgspec.Meta(ge=0.2)] = 5.0
    keep_seconds: Annotated[float, msgspec.Meta(ge=0.2)] = 600.0


class ConnectionLogSettings(Section, frozen=True, kw_only=True):
    """Who had which address when, sealed to ``key``: the city's X25519 public key in base64 (`hiroba wifi log-key`).
    Without a key nothing is kept. keep_days: then it is deleted; half a year, as the terms tell visitors, or less.
    """

    key: Annotated[str, msgspec.Meta(pattern="^([A-Za-z0-9+/]{43}=)?$")] = ""
    keep_days: Annotated[int, msgspec.Meta(ge=1, le=184)] = 183


class StatsSettings(Section, frozen=True, kw_only=True):
    """Usage statistics and the staff page that shows them. The page answers on loopback only; collect_seconds: how
    often the gate is asked for usage; keep_days: how long the sums are kept.
    """

    host: Literal["127.0.0.1", "::1"] = "127.0.0.1"
    port: Port = 8190
    database: str = "stats/stats.db"
    collect_seconds: Annotated[float, msgspec.Meta(ge=0.2)] = 20.0
    keep_days: Annotated[int, msgspec.Meta(ge=7)] = 1826


class WifiSettings(Section, frozen=True, kw_only=True):
    """The visitor's Wi-Fi on one box."""

    spots: Annotated[list[SpotSettings], msgspec.Meta(min_length=1)]
    portal: PortalSettings = msgspec.field(default_factory=PortalSettings)
    gate: GateSettings = msgspec.field(default_factory=GateSettings)
    smtp: SmtpSettings | None = None
    stats: StatsSettings = msgspec.field(default_factory=StatsSettings)
    log: ConnectionLogSettings = msgspec.field(default_factory=ConnectionLogSettings)

    def spot(self, name: str) -> SpotSettings:
        """The spot called ``name``. Raises KeyError."""
        for spot in self.spots:
            if spot.name == name:
                return spot
        raise KeyError(name)
