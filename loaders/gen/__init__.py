"""Rows of the Gen database that are more than their columns: what one noun's changes are made of."""
