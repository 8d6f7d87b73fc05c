"""One question and a word of thanks."""

from __future__ import annotations

from kiosk.shell.journey import BACK, SERVICES, Event, Quiet, Screen, ServiceJourney, Then

OPINION = Screen("opinion")
OPINION_THANKS = Screen("opinion_thanks", Quiet(Then.HOME, 10.0), waits=True)

SAID = Event("said")

JOURNEY = ServiceJourney(entrance=OPINION, moves={(OPINION, SAID): OPINION_THANKS, (OPINION, BACK): SERVICES})
