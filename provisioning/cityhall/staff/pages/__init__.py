"""One file a page of the staff; each offers ``add``, which puts its routes on the blueprint."""
