"""The resident's screens over HTTP: one blueprint each."""
