"""The pages a phone opens: probes, log-in, the captive-portal API.

May import: captive_portal.gate, captive_portal.settings, device.
"""
