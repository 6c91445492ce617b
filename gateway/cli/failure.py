"""A command's failure that is explained to its user: cause and next step."""


class CommandFailed(Exception):
    """Printed as it is; the exit code is 1."""
