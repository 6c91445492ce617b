"""The servers of the stack, one module each: how a server is prepared, started and probed."""
