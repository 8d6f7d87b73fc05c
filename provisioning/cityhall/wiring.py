"""Puts city hall's service together: settings and state folder in, a WSGI application out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from device.clock import Clock
from device.logs import Log
from provisioning.cityhall.accounts.account_requests import AccountRequests
from provisioning.cityhall.accounts.factor_key import FACTOR_KEY_FILE, FactorKey
from provisioning.cityhall.accounts.log_ins import LogInRules, LogIns
from provisioning.cityhall.accounts.security_key import relying_party
from provisioning.cityhall.accounts.staff_accounts import StaffAccounts
from provisioning.cityhall.app import WsgiApp, create_app
from provisioning.cityhall.boxes.audit_heads import AuditAlarms
from provisioning.cityhall.boxes.authority import SERVER_FILE, SERVER_KEY_FILE, Authority, AuthorityFolder
from provisioning.cityhall.boxes.enrolment import EnrolmentService
from provisioning.cityhall.boxes.expiry import ends_of
from provisioning.cityhall.boxes.intake import Intake
from provisioning.cityhall.boxes.records import Records
from provisioning.cityhall.database import Database, open_engine, upgrade
from provisioning.cityhall.settings import FOLDER, CityHallSettings
from provisioning.cityhall.staff.context import StaffContext


@dataclass(frozen=True)
class CityHallService:
    """The service's parts. Several processes, on several machines, may share one database and CA."""

    app: WsgiApp
    database: Database
    records: Records
    enrolments: EnrolmentService
    intake: Intake
    staff: StaffAccounts
    pages: StaffContext


def authority_folder(state: Path) -> AuthorityFolder:
    """Where the city's CA lies."""
    return AuthorityFolder(state / FOLDER / "ca")


def open_authority(settings: CityHallSettings, state: Path, clock: Clock) -> Authority:
    """The city's CA. Raises AuthorityUnusable."""
    return authority_folder(state).open(settings.city_name, settings.names, clock.now())


def open_database(settings: CityHallSettings, state: Path) -> Database:
    """The database, its schema up to date. Raises DatabaseDown."""
    engine = open_engine(settings.database, state)
    upgrade(engine)
    return Database(engine)


def prepare(settings: CityHallSettings, state: Path, clock: Clock) -> None:
    """Once, before the workers: schema, CA, the service's own credential. Raises DatabaseDown, AuthorityUnusable."""
    open_database(settings, state).close()
    authority, folder = open_authority(settings, state, clock), authority_folder(state)
    if not settings.certificate:
        folder.server(authority, settings.names, clock.now())
    FactorKey.at(folder.folder / FACTOR_KEY_FILE)


def credential_files(settings: CityHallSettings, state: Path) -> tuple[Path, Path, Path]:
    """(certificate, key) of the service, and the CA of the boxes: PEM files, after ``prepare``."""
    folder = authority_folder(state)
    if settings.certificate:
        return state / settings.certificate, state / settings.key, folder.certificate
    return folder.folder / SERVER_FILE, folder.folder / SERVER_KEY_FILE, folder.certificate


def build_cityhall(settings: CityHallSettings, state: Path, clock: Clock, log: Log) -> CityHallService:
    """One worker's service, after ``prepare``. Raises DatabaseDown, AuthorityUnusable."""
    database = Database(open_engine(settings.database, state))
    enrolments = EnrolmentService(
        database,
        open_authority(settings, state, clock),
        clock,
        settings.box_certificate_days,
        four_eyes=settings.four_eyes,
    )
    records, staff, intake = Records(database), StaffAccounts(database, clock), Intake(database, clock)
    own, _, ca = credential_files(settings, state)
    log_ins = LogIns(
        database, clock, staff, FactorKey.at(authority_folder(state).folder / FACTOR_KEY_FILE), _rules(settings)
    )
    requests = AccountRequests(database, clock, staff, four_eyes=settings.four_eyes)
    pages = StaffContext(
        settings, records, enrolments, staff, log_ins, requests, AuditAlarms(database, clock), clock, ends_of(own, ca)
    )
    return CityHallService(create_app(pages, intake, log), database, records, enrolments, intake, staff, pages)


def _rules(settings: CityHallSettings) -> LogInRules:
    party = relying_party(settings.names, settings.staff_port, settings.city_name)
    return LogInRules(settings.second_factor == "required", settings.second_factor_days, party)
