"""What may go wrong in a migration. For operators: messages name databases, roles and revisions, never passwords.

MigrationError
├── TargetInvalid       the settings do not describe a target
└── MigrationFailed     the store refused; nothing of the named step remains
"""


class MigrationError(Exception):
    """Base of all failures of `migrations.run`. The command exits non-zero."""


class TargetInvalid(MigrationError):
    """Settings are missing or contradict each other."""


class MigrationFailed(MigrationError):
    """`step` (a revision, or a part of the set-up) of `target` failed and left nothing behind."""

    def __init__(self, target: str, step: str, cause: str) -> None:
        super().__init__(f"{target}: {step} failed, nothing of it remains: {cause}")
        self.target = target
        self.step = step
