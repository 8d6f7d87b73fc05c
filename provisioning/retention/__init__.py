"""How long what is kept: ages from the site file, deletion when they are over, and the map of personal data."""
