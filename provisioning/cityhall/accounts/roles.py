"""Roles of staff, each with all that the ones before it may: view < operate < approve < administer. Pure."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """view: look at pages. operate: prepare (codes). approve: admit and cut off boxes, close alarms. administer:
    accounts, roles, second factors.
    """

    VIEW = "view"
    OPERATE = "operate"
    APPROVE = "approve"
    ADMINISTER = "administer"

    def covers(self, needed: Role) -> bool:
        """Whether this role may do what ``needed`` may."""
        ranks = list(Role)
        return ranks.index(self) >= ranks.index(needed)


GRAVE = (Role.APPROVE, Role.ADMINISTER)
"""Roles that nobody is given by one person alone."""


def needs_second_person(now: Role, then: Role) -> bool:
    """Whether a change of role takes two administrators: only one that gives more, and something grave."""
    return then in GRAVE and not now.covers(then)
