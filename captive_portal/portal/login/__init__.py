"""Ways to log in: what a method gets and answers. One file per method; the table is ``methods.py``."""
