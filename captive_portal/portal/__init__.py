"""The pages a phone opens: probes, log-in, the captive-portal API."""
