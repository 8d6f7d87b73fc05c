"""The desired state of the gate: sessions, limits, blocked phones, usage events. Pure: no I/O."""
