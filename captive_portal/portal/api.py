"""GET /captive-portal/api: RFC 8908 for the phone that asks."""

from __future__ import annotations

from flask import Blueprint, Response, request

from captive_portal.gate.client import GateClient
from captive_portal.gate.errors import GateFault, GateUnreachable
from captive_portal.gate.protocol import Phone, PhoneState
from captive_portal.portal.capport import API_PATH, CACHE, MEDIA_TYPE, CaptiveState, encode, state_of
from captive_portal.portal.origins import Origins
from device.logs import Log


def build_api(gate: GateClient, origins: Origins, log: Log) -> Blueprint:
    """The one endpoint. The server runner serves it over TLS; phones ignore it otherwise (RFC 8908 §4)."""
    blueprint = Blueprint("api", __name__)

    @blueprint.get(API_PATH)
    def captive_state() -> Response:
        ip = request.remote_addr or ""
        try:
            phone = gate.lookup(ip)
        except (GateUnreachable, GateFault) as error:
            log.warning("gate_not_answering", code=error.code)
            return Response(status=503, headers={"Retry-After": "5", "Cache-Control": CACHE})
        body = encode(describe(phone, origins.of(ip)))
        return Response(body, content_type=MEDIA_TYPE, headers={"Cache-Control": CACHE})

    return blueprint


def describe(phone: Phone, origin: str) -> CaptiveState:
    """The state of ``phone`` in the words of RFC 8908; in a disaster nobody is captive and nothing runs out."""
    session = phone.session if phone.state is PhoneState.ONLINE and not phone.disaster else None
    return state_of(
        origin=origin,
        online=phone.disaster or phone.state is PhoneState.ONLINE,
        can_extend=bool(session and session.can_extend),
        seconds=session.seconds_left if session else None,
        bytes_left=session.bytes_left if session else None,
    )
