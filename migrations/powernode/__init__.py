"""Revisions of database `powernode`, oldest first; `vNNNN_what.py`, forward only."""
