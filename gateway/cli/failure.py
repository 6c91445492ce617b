"""A command's failure, explained to its user by cause and next step."""


class CommandFailed(Exception):
    """The message is printed as it is, and the exit code is 1."""
