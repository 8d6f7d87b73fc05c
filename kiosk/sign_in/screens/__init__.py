"""The screens of signing in, one blueprint each."""
