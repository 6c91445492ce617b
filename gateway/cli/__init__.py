"""The command `axion`. A command imports what it needs when it runs, so `axion doctor` works when half is missing."""

from gateway.cli.main import main

__all__ = ["main"]
