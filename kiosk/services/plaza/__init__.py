"""Where is what: the plaza's own pages. They need neither card nor printer."""
