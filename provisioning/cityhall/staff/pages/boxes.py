"""All boxes, those that need a person first."""

from __future__ import annotations

from collections import Counter, defaultdict

from flask import Blueprint, Response, request

from provisioning.cityhall.staff.box_status import STATES, box_status
from provisioning.cityhall.staff.context import StaffContext
from provisioning.cityhall.staff.rendering import render_page


def add(site: Blueprint, context: StaffContext) -> None:
    """/, /?state=STATE."""

    @site.get("/")
    def boxes() -> Response:
        alarms = defaultdict(list)
        for alarm in context.audits.open():
            alarms[alarm.box].append(alarm.reason)
        known = context.records.boxes()
        seen = [box_status(box, context.now, context.silent_seconds, alarms[box.name]) for box in known]
        counts = Counter(s.state for s in seen)
        chosen = request.args.get("state", "")
        rows = sorted((s for s in seen if chosen in ("", s.state)), key=lambda s: (STATES.index(s.state), s.name))
        return render_page("boxes.html", rows=rows, counts=counts, states=STATES, chosen=chosen, total=len(seen))
