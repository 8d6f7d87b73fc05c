"""GET /captive-portal/api: RFC 8908. Over TLS; phones ignore it otherwise (RFC 8908 §4)."""

from __future__ import annotations

from captive_portal.gate.client import GateClient
from captive_portal.gate.errors import GateFault, GateUnreachable
from captive_portal.gate.protocol import Phone, PhoneState
from captive_portal.portal.capport import CACHE, MEDIA_TYPE, CaptiveState, encode, state_of
from captive_portal.portal.origins import Origins
from captive_portal.portal.page_request import PageRequest, PageResponse
from device.logs import Log


class Api:
    """The one endpoint."""

    def __init__(self, gate: GateClient, origins: Origins, log: Log) -> None:
        self._gate, self._origins, self._log = gate, origins, log

    def captive_state(self, request: PageRequest) -> PageResponse:
        """The session for the phone's operating system to show."""
        try:
            phone = self._gate.lookup(request.ip, request.port)
        except (GateUnreachable, GateFault) as error:
            self._log.warning("gate_not_answering", code=error.code)
            return PageResponse(503, (("Retry-After", "5"), ("Cache-Control", CACHE)))
        body = encode(describe(phone, self._origins.of(request.ip)))
        return PageResponse(200, (("Content-Type", MEDIA_TYPE), ("Cache-Control", CACHE)), body)


def describe(phone: Phone, origin: str) -> CaptiveState:
    """The state of ``phone`` by RFC 8908; in a disaster nobody is captive and nothing runs out."""
    session = phone.session if phone.state is PhoneState.ONLINE and not phone.disaster else None
    return state_of(
        origin=origin,
        online=phone.disaster or phone.state is PhoneState.ONLINE,
        can_extend=bool(session and session.can_extend),
        seconds=session.seconds_left if session else None,
        bytes_left=session.bytes_left if session else None,
    )
