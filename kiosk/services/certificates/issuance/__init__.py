"""One request's life on the kiosk: states, journal, recovery."""
