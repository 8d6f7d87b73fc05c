"""What every service of the kiosk shares: the visit, its screens and moves, the page frame, the clock."""
