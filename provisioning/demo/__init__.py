"""The whole plaza on virtual hardware, for trying out, training and CI."""
