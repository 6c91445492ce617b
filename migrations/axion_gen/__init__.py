"""Revisions of database `axion_gen`, oldest first; `vNNNN_what.py`, forward only."""
