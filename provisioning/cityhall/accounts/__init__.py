"""Staff accounts: passwords, second factors, roles, sessions, limits of guessing, and the audit of what staff did."""
