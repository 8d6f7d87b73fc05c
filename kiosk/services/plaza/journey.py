"""The plaza's pages: an overview, and from it the Wi-Fi and how a certificate is made. Pure."""

from __future__ import annotations

from kiosk.shell.journey import BACK, SERVICES, Event, Screen, ServiceJourney

PLAZA = Screen("plaza", shows_readiness=True)
PLAZA_WIFI = Screen("plaza_wifi")
PLAZA_HOW = Screen("plaza_how")

WIFI_CHOSEN = Event("wifi_chosen")
HOW_CHOSEN = Event("how_chosen")

JOURNEY = ServiceJourney(
    entrance=PLAZA,
    moves={
        (PLAZA, BACK): SERVICES,
        (PLAZA, WIFI_CHOSEN): PLAZA_WIFI,
        (PLAZA, HOW_CHOSEN): PLAZA_HOW,
        (PLAZA_WIFI, BACK): PLAZA,
        (PLAZA_HOW, BACK): PLAZA,
    },
)
