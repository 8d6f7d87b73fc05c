"""What a box is made of: files rendered from the site file, laid, applied, installed, seeded."""
