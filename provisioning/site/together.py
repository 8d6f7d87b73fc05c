"""What the boxes of one city must not do to each other, and what city hall's server says that the others rely on.
Pure.
"""

from __future__ import annotations

from collections.abc import Sequence

from provisioning.box.render.wrong import Wrong
from provisioning.site.model import Site


def check_together(sites: Sequence[Site]) -> tuple[int, Wrong] | None:
    """The number of the first box that does not fit to the others, and what is wrong with it; None when all fit."""
    return _addresses(sites) or _fleet(sites)


def _addresses(sites: Sequence[Site]) -> tuple[int, Wrong] | None:
    seen: dict[str, str] = {}
    for number, site in enumerate(sites):
        address = site.network.address.partition("/")[0]
        if address in seen:
            return number, Wrong("network.address", "address_twice", value=address, other=seen[address])
        if address:
            seen[address] = site.box.name
    return None


def _fleet(sites: Sequence[Site]) -> tuple[int, Wrong] | None:
    """A box that calls city hall by another name than its credential says gets no connection, and only then."""
    server = next((site.fleet for site in sites if site.fleet and "fleet" in site.box.parts), None)
    if server is None:
        return None
    known = ", ".join(server.names)
    for number, link in ((n, site.fleet_link) for n, site in enumerate(sites) if site.fleet_link):
        if link is not None and not server.certificate and link.host not in server.names:
            return number, Wrong("fleet_link.host", "not_our_name", value=link.host, known=known)
        if link is not None and link.enrol_port != server.enrol_port:
            return number, _port("enrol_port", link.enrol_port, server.enrol_port)
        if link is not None and link.box_port != server.box_port:
            return number, _port("box_port", link.box_port, server.box_port)
    return None


def _port(name: str, link: int, server: int) -> Wrong:
    return Wrong(f"fleet_link.{name}", "other_port", value=str(link), other=f"[fleet] {name}", known=str(server))
