"""The kernel side of the gate: ruleset, set elements over netlink, reconciliation, routing rules, bridge ports."""
