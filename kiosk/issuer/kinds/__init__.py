"""The kinds of certificate, one package each."""
