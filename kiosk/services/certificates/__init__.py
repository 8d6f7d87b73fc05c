"""Municipal certificates: choose, order, pay, print, take."""
