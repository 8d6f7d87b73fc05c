"""How the Wi-Fi is used, as sums without persons: collector, reports, open data, the staff page."""
