"""Runs web processes: stock gunicorn for the applications, nginx in front of those that others reach."""
