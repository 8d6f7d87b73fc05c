"""One file a check of the doctor, NAME.py, and its words in Japanese and English beside it, NAME.toml."""
