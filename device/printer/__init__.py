"""The receipt printer and the A4 printer. May import: device.errors, device.clock."""
