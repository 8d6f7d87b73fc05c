"""The schema of city hall's database, step by step. A released step is never edited: add another."""
