"""Databases, roles, schemas, extensions and grants, made with the admin's connection. Safe to run again."""

from migrations.roles.provision import provision

__all__ = ["provision"]
