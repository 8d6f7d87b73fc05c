"""The visitor's Wi-Fi: gate, pages, statistics."""
