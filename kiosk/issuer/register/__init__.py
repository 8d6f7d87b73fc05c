"""The resident register: what it holds, what is imported into it, and synthetic residents for the demo and tests."""
