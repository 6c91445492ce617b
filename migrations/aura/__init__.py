"""Revisions of database `auradb`, oldest first; `vNNNN_what.py`, forward only."""
