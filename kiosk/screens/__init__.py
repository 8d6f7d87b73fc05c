"""The resident's screens over HTTP: one blueprint each. May import: device, the kiosk's floor, flask."""
