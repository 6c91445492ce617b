"""Revisions of database `axion_sense`, oldest first; `vNNNN_what.py`, forward only."""
