"""The site file turned into other programs' configuration. Pure: text out, nothing is written or started here."""
