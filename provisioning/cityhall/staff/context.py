"""What the staff's pages are made of and act on: passed to every page."""

from __future__ import annotations

from dataclasses import dataclass, field

from device.clock import Clock
from provisioning.cityhall.accounts.account_requests import AccountRequests
from provisioning.cityhall.accounts.log_ins import LogIns
from provisioning.cityhall.accounts.staff_accounts import StaffAccounts
from provisioning.cityhall.boxes.audit_heads import AuditAlarms
from provisioning.cityhall.boxes.enrolment import EnrolmentService
from provisioning.cityhall.boxes.expiry import CredentialEnds
from provisioning.cityhall.boxes.records import Records
from provisioning.cityhall.settings import CityHallSettings


@dataclass(frozen=True)
class StaffContext:
    """ends: when the service's own credentials are over."""

    settings: CityHallSettings
    records: Records
    enrolments: EnrolmentService
    staff: StaffAccounts
    log_ins: LogIns
    requests: AccountRequests
    audits: AuditAlarms
    clock: Clock
    ends: CredentialEnds = field(default_factory=CredentialEnds)

    @property
    def now(self) -> int:
        """Unix seconds."""
        return int(self.clock.now().timestamp())

    @property
    def silent_seconds(self) -> int:
        """A box that has not been heard for longer is silent."""
        return self.settings.silent_minutes * 60
