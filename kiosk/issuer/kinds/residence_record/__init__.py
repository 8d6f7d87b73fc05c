"""Residence record (住民票の写し)."""
