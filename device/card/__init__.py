"""The My Number card and its reader. May import: device.errors, device.clock, device.secrets."""
