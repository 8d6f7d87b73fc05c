"""A third service, for tests alone: asks for one opinion and forgets it. Copied into the product it works as it is."""
