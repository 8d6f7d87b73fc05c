"""Where a phone finds the portal, and the names by which it is asked for. Pure."""

from __future__ import annotations

import ipaddress

from captive_portal.settings import WifiSettings

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_MAX_KEPT = 20_000  # addresses whose spot is remembered: more than phones on one box


class Origins:
    """https at the portal's name when there is TLS, else the gateway of the phone's own spot, because then nothing
    vouches for a name and no name server is needed.

    named: the one origin with TLS, else "". by_network: the others, each with the phones' network, in the order in
    which they are tried; the first one also for every other address. hosts: names of the portal, without a port.
    """

    def __init__(self, settings: WifiSettings) -> None:
        portal = settings.portal
        self.named = f"https://{portal.name}" if portal.tls_certificate else ""
        gateways: list[tuple[Network, str]] = [
            (ipaddress.ip_network(f"{s.ipv4.gateway}/{s.ipv4.prefix}", strict=False), s.ipv4.gateway)
            for s in settings.spots
        ]
        gateways += [
            (ipaddress.ip_network(s.ipv6.network), f"[{s.ipv6.gateway}]")
            for s in settings.spots
            if s.ipv6.mode != "off" and s.ipv6.gateway
        ]
        self.by_network = [(network, f"http://{gateway}:{portal.port}") for network, gateway in gateways]
        own = [portal.name.lower(), "localhost", "127.0.0.1", "[::1]", *(gateway for _, gateway in gateways)]
        self.hosts = tuple(dict.fromkeys(own))
        self._kept: dict[str, str] = {}

    def of(self, ip: str) -> str:
        """Scheme, host and port for the phone at ``ip``, without a trailing slash."""
        if self.named:
            return self.named
        origin = self._kept.get(ip)
        if origin is None:
            if len(self._kept) >= _MAX_KEPT:
                self._kept.clear()
            origin = self._kept[ip] = self._of_spot(ip)
        return origin

    def _of_spot(self, ip: str) -> str:
        first = self.by_network[0][1]
        try:
            address = ipaddress.ip_address(ip)
        except ValueError:
            return first
        return next((origin for network, origin in self.by_network if address in network), first)
