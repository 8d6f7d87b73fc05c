"""Installs Hiroba on a box: the application in a slot, units and their like, and what the site file enables."""
