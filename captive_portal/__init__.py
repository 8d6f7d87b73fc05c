"""The visitor's Wi-Fi: gate, pages, statistics. May import: device. Never kiosk, provisioning."""
