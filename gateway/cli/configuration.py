"""The settings of a command: the process's environment first, then an env file."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from deploy.local.paths import state_paths
from gateway.cli.failure import CommandFailed

if TYPE_CHECKING:
    from gateway.settings import Settings


def env_file() -> Path | None:
    """The file named by AXION_ENV_FILE, else the demo's if it exists. `CommandFailed` when the named file does not
    exist.
    """
    named = os.environ.get("AXION_ENV_FILE")
    if named:
        if not Path(named).is_file():
            raise CommandFailed(
                f"AXION_ENV_FILE names {named}, which is no file: run `axion stack up`, or correct the name"
            )
        return Path(named)
    demo = state_paths("demo").env
    return demo if demo.is_file() else None


def load_settings(file: Path | None = None) -> "Settings":
    """Reads the settings from the environment and then from `file`, or from the file that `env_file` finds.

    Raises pydantic's `ValidationError` (see `explain`) when a setting is missing or wrong.
    """
    from gateway.settings import Settings

    return Settings(_env_file=file or env_file())


def explain(error: ValidationError) -> str:
    """What is wrong with the settings, by the names of the environment and without any value."""
    lines = [
        f"  {_name(problem['loc'])}: {problem['msg']}"
        for problem in error.errors(include_input=False, include_url=False, include_context=False)
    ]
    return (
        "these settings are missing or wrong:\n"
        + "\n".join(lines)
        + "\nSet them in the environment or in the file named by AXION_ENV_FILE, or run `axion stack up`."
    )


def _name(location: tuple[int | str, ...]) -> str:
    """The name of the setting. A rule over several settings has no location of its own."""
    return f"AXION_{'__'.join(str(step).upper() for step in location)}" if location else "together"
