"""Back-up, restore and disposal of one box's state. May import: device, kiosk.issuance, kiosk.issuer, provisioning."""
