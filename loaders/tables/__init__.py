"""SQLAlchemy models: one package per database, one module per area. Comments are the descriptions the API shows."""
