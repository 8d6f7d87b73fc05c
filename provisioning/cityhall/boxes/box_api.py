"""The boxes' two APIs, JSON over HTTPS: enrolment without a credential, everything else by mutual TLS.

A refusal is {"refused": reason} with 400, 403, 404 or 429; a fault 500 or 503.
"""

from __future__ import annotations

import zlib

import msgspec
from flask import Flask, Response, g, request
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import HTTPException

from device.logs import Log, places
from provisioning.cityhall.accounts.staff_accounts import StaffAccounts
from provisioning.cityhall.boxes.authority import peer_of
from provisioning.cityhall.boxes.enrolment import EnrolmentService, Refused
from provisioning.cityhall.boxes.intake import Batch, Intake
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

    app.add_url_rule("/api/v1/enrol", "ask", ask, methods=["POST"])
    app.add_url_rule("/api/v1/enrol/<name>", "state", state, methods=["GET"])
    return app


def create_box_app(enrolments: EnrolmentService, intake: Intake, log: Log) -> Flask:
    """The listener behind mutual TLS. Every call looks the box up again."""
    app = _bare("provisioning.cityhall.boxes", log)
    # Made here, by one thread: msgspec 0.22 crashes when several threads meet a type for the first time together.
    renewals, batches = msgspec.json.Decoder(RenewQuestion), msgspec.json.Decoder(Batch)

    @app.before_request
    def admit() -> Response | None:
        der = credential_of(request.environ)
        admitted = enrolments.admit(peer_of(der) if der else None)
        if isinstance(admitted, Refused):
            log.warning("box_refused", reason=admitted.reason)
            return _refusal(admitted)
        g.box = admitted.name
        return None

    def renew() -> Response:
        answer = enrolments.renew(g.box, renewals.decode(request.get_data(cache=False)).request)
        return _refusal(answer) if isinstance(answer, Refused) else _json(200, {"certificate": answer})

    def messages() -> Response:
        answers = intake.take(g.box, batches.decode(_unpacked()))
        return _json(200, {"answers": answers, "audits": intake.audit_heads(g.box)})

    app.add_url_rule("/api/v1/renew", "renew", renew, methods=["POST"])
    app.add_url_rule("/api/v1/messages", "messages", messages, methods=["POST"])
    return app


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
