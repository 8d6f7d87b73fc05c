"""What the visitor does on the plaza's pages."""

from __future__ import annotations

from kiosk.services.plaza.journey import PLAZA_HOW
from kiosk.services.plaza.state import PICTURES, plaza
from kiosk.shell.desk import Desk
from kiosk.shell.journey import BACK


def turn(desk: Desk, by: int) -> None:
    """Leaf through the pictures; before the first one lies the overview."""
    with desk.held() as visit:
        state = plaza(visit)
        if state is None or visit.step.screen is not PLAZA_HOW:
            return
        wanted = state.picture + by
        if wanted < 0:
            desk.move(BACK)
        elif wanted < len(PICTURES):
            state.picture = wanted
            desk.revise()
