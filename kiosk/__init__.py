"""The resident's touch screen, and the municipal issuer. May import: device. Never captive_portal, provisioning."""
