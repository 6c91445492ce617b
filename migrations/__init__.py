"""Migrations of every store: a history of revisions per database, and runners for what is not a database.

They read the tables (loaders/tables/) and nothing above them. See `runner.run`.
"""
