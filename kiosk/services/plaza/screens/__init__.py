"""The screens of this service, one blueprint each."""
