"""The portal's origins (scheme, host, port) for each phone, and its host names. Pure."""

from __future__ import annotations

import ipaddress

from captive_portal.settings import WifiSettings

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_MAX_CACHED = 20_000  # addresses whose spot is remembered: more than phones on one box


class Origins:
    """https at the portal's name when there is TLS, else the gateway of the phone's own spot, since
    without a certificate a name proves nothing, and no name server is needed.

    tls_origin: the one origin with TLS, else "". by_network: the others, each with the phones' network, in the order in
    which they are tried; the first one also for every other address. hosts: names of the portal, without a port.
    """

    def __init__(self, settings: WifiSettings) -> None:
        portal = settings.portal
        self.tls_origin = f"https://{portal.name}" if portal.tls_certificate else ""
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
        self._cached: dict[str, str] = {}

    def of(self, ip: str) -> str:
        """Scheme, host and port for the phone at ``ip``, without a trailing slash."""
        if self.tls_origin:
            return self.tls_origin
        origin = self._cached.get(ip)
        if origin is None:
            if len(self._cached) >= _MAX_CACHED:
                self._cached.clear()
            origin = self._cached[ip] = self._of_spot(ip)
        return origin

    def _of_spot(self, ip: str) -> str:
        first = self.by_network[0][1]
        try:
            address = ipaddress.ip_address(ip)
        except ValueError:
            return first
        return next((origin for network, origin in self.by_network if address in network), first)
