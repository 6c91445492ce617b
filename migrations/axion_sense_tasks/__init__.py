"""Revisions of database `axion_sense_tasks`, oldest first; `vNNNN_what.py`, forward only."""
