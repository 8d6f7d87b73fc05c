"""What the kiosk offers: one package a service."""
