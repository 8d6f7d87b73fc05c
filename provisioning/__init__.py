"""The hands of the IT staff: the hiroba command, the site file, the demo."""
