"""The boxes' two APIs, JSON over HTTPS: enrolment without a credential, everything else by mutual TLS.

A refusal is {"refused": reason} with 400, 403, 404 or 429; a fault 500 or 503.
"""

from __future__ import annotations

import zlib
from typing import Annotated

import msgspec
from flask import Flask, Response, g, request
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import HTTPException

from device.logs import Log, places
from provisioning.cityhall.accounts.staff_accounts import StaffAccounts
from provisioning.cityhall.boxes.authority import peer_of
from provisioning.cityhall.boxes.clones import link_of
from provisioning.cityhall.boxes.enrolment import EnrolmentService, Refused
from provisioning.cityhall.boxes.intake import Batch, Intake
from provisioning.cityhall.settings import CHAIN_HEADER
from provisioning.cityhall.tables import Enrolment
from provisioning.nginx_headers import credential_of

MAX_BODY_BYTES = 512 * 1024
MAX_BATCH_BYTES = 4 * 1024 * 1024
_STATUS = {"request_malformed": 400, "enrolment_unknown": 404, "too_many": 429}


class EnrolQuestion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """code: as on the sheet, or "". request: certificate signing request, PEM."""

    code: str
    request: str


class RenewQuestion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """request: certificate signing request for the same key, PEM."""

    request: str


class VolumeQuestion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """volume: its id. key: its own public key, PEM. recovery: the recovery key, sealed to the city (age, base64)."""

    volume: Annotated[str, msgspec.Meta(min_length=16, max_length=32)]
    key: Annotated[str, msgspec.Meta(max_length=1024)]
    recovery: Annotated[str, msgspec.Meta(max_length=4096)]


class UnlockQuestion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """chain: HAVE/NEXT. signature: by the volume's key, base64."""

    volume: Annotated[str, msgspec.Meta(max_length=32)]
    chain: Annotated[str, msgspec.Meta(max_length=80)]
    signature: Annotated[str, msgspec.Meta(max_length=256)]


class EnrolAnswer(msgspec.Struct, frozen=True):
    """state: pending, approved, declined. certificate: PEM when approved."""

    enrolment: str
    box: str
    kind: str
    state: str
    certificate: str


def create_enrol_app(enrolments: EnrolmentService, staff: StaffAccounts, log: Log) -> Flask:
    """The listener for boxes without a credential yet."""
    app, decoder = _bare("provisioning.cityhall.enrol", log), msgspec.json.Decoder(EnrolQuestion)
    unlocking = msgspec.json.Decoder(UnlockQuestion)

    def ask() -> Response:
        address = request.remote_addr or ""
        if staff.too_many_codes(address):
            return _refusal(Refused("too_many"))
        question = decoder.decode(request.get_data(cache=False))
        answer = enrolments.ask(question.code, question.request)
        if isinstance(answer, Refused) and answer.reason == "code_unknown":
            staff.wrong_code(address)
        return _refusal(answer) if isinstance(answer, Refused) else _told(answer)

    def state(name: str) -> Response:
        answer = enrolments.state(name)
        return _refusal(answer) if isinstance(answer, Refused) else _told(answer)

    def unlock() -> Response:
        question = unlocking.decode(request.get_data(cache=False))
        share, why = enrolments.volumes.unlock(question.volume, question.chain, question.signature)
        if why:
            log.warning("volume_refused", reason=why)
            return _refusal(Refused(why))
        answer = _json(200, {"share": share})
        answer.headers[CHAIN_HEADER] = question.chain.rpartition("/")[2]
        return answer

    app.add_url_rule("/api/v1/enrol", "ask", ask, methods=["POST"])
    app.add_url_rule("/api/v1/unlock", "unlock", unlock, methods=["POST"])
    app.add_url_rule("/api/v1/enrol/<name>", "state", state, methods=["GET"])
    return app


def create_box_app(enrolments: EnrolmentService, intake: Intake, log: Log) -> Flask:
    """The listener behind mutual TLS. Every call looks the box up again."""
    app = _bare("provisioning.cityhall.boxes", log)
    # Made here, by one thread: msgspec 0.22 crashes when several threads meet a type for the first time together.
    renewals, batches = msgspec.json.Decoder(RenewQuestion), msgspec.json.Decoder(Batch)
    volumes = msgspec.json.Decoder(VolumeQuestion)

    _admit_boxes(app, enrolments, log)

    def renew() -> Response:
        answer = enrolments.renew(g.box, renewals.decode(request.get_data(cache=False)).request)
        return _refusal(answer) if isinstance(answer, Refused) else _json(200, {"certificate": answer})

    def messages() -> Response:
        answers = intake.take(g.box, batches.decode(_unpacked()))
        return _json(200, {"answers": answers, "audits": intake.audit_heads(g.box)})

    def admitted() -> Response:
        """For nginx before the issuer on the same machine: ``admit`` has looked the box up."""
        return Response(status=204)

    def boxes() -> Response:
        """For an issuer on another machine."""
        return _json(200, {"boxes": enrolments.admitted()})

    def volume() -> Response:
        asked = volumes.decode(request.get_data(cache=False))
        share = enrolments.volumes.register(g.box, asked.volume, asked.key, asked.recovery)
        return _json(200, {"share": share}) if share else _refusal(Refused("request_malformed"))

    app.add_url_rule("/api/v1/admitted", "admitted", admitted, methods=["GET"])
    app.add_url_rule("/api/v1/boxes", "boxes", boxes, methods=["GET"])
    app.add_url_rule("/api/v1/volume", "volume", volume, methods=["POST"])
    app.add_url_rule("/api/v1/renew", "renew", renew, methods=["POST"])
    app.add_url_rule("/api/v1/messages", "messages", messages, methods=["POST"])
    return app


def _admit_boxes(app: Flask, enrolments: EnrolmentService, log: Log) -> None:
    """Before each call: the box as city hall knows it now; after it: the chain's new end."""

    @app.before_request
    def admit() -> Response | None:
        der = credential_of(request.environ)
        link = link_of(request.headers.get(CHAIN_HEADER, ""))
        elsewhere = request.endpoint == "admitted"  # nginx asks, of a call to the issuer
        admitted = enrolments.admit(peer_of(der) if der else None, link, chained=not elsewhere)
        if isinstance(admitted, Refused):
            log.warning("box_refused", reason=admitted.reason)
            return _refusal(admitted)
        g.box, g.link = admitted.name, link
        return None

    @app.after_request
    def acknowledge(response: Response) -> Response:
        """The chain went on, whatever became of the call itself."""
        if link := g.get("link"):
            response.headers[CHAIN_HEADER] = link.next
        return response


def _bare(name: str, log: Log) -> Flask:
    app = Flask(name, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    app.register_error_handler(Exception, lambda error: _fault(error, log))
    return app


def _unpacked() -> bytes:
    """The body, unzipped when it says so; never more than MAX_BATCH_BYTES. Raises msgspec.DecodeError."""
    body = request.get_data(cache=False)
    if request.headers.get("Content-Encoding") != "gzip":
        return body
    unzip = zlib.decompressobj(wbits=31)
    try:
        plain = unzip.decompress(body, MAX_BATCH_BYTES)
    except zlib.error as error:
        raise msgspec.DecodeError("not gzip") from error
    if not unzip.eof:
        raise msgspec.DecodeError("too large or cut off")
    return plain


def _told(enrolment: Enrolment) -> Response:
    fields = (enrolment.id, enrolment.box, enrolment.kind, enrolment.state, enrolment.certificate)
    return _json(200, EnrolAnswer(*fields))


def _refusal(refused: Refused) -> Response:
    return _json(_STATUS.get(refused.reason, 403), {"refused": refused.reason})


def _json(status: int, content: object) -> Response:
    headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    return Response(msgspec.json.encode(content), status, content_type="application/json", headers=headers)


def _fault(error: Exception, log: Log) -> Response:
    if isinstance(error, msgspec.DecodeError | UnicodeDecodeError):
        return _refusal(Refused("request_malformed"))
    if isinstance(error, HTTPException):
        return _json(error.code or 500, {"refused": "path_unknown" if error.code == 404 else "request_malformed"})
    log.error("cityhall_fault", kind=type(error).__name__, places=places(error))
    return _json(503 if isinstance(error, SQLAlchemyError) else 500, {"refused": "fault"})
