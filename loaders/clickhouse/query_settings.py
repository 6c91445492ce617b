"""The settings sent with a statement: its id, time zone, time-out, and what its caller asks for."""

import re
from collections.abc import Mapping
from typing import TypeAlias

Settings: TypeAlias = Mapping[str, str | int | float | bool]

AS_ARROW = {
    "output_format_arrow_string_as_string": "1",
    "output_format_arrow_low_cardinality_as_dictionary": "0",
    "output_format_arrow_fixed_string_as_fixed_byte_array": "1",
}
_NOT_SETTINGS = frozenset(
    {"query", "query_id", "user", "password", "database", "session_id", "default_format", "readonly"}
)
_NAME = re.compile(r"[a-z][a-z0-9_]*")


def query_settings(query_id: str, *, timeout_ms: int, settings: Settings | None = None) -> dict[str, str]:
    """Raises `ValueError` for a name that is not a setting."""
    final = {name: _text(name, value) for name, value in (settings or {}).items()}
    final["query_id"] = query_id
    final["session_timezone"] = "UTC"
    final["max_execution_time"] = str(timeout_ms / 1000)
    return final


def _text(name: str, value: str | int | float | bool) -> str:
    """Allows plain names only: another one (`query`, `param_...`) would change the statement."""
    if not _NAME.fullmatch(name) or name.startswith("param_") or name in _NOT_SETTINGS:
        raise ValueError(f"{name} is no setting of a ClickHouse query")
    return str(int(value)) if isinstance(value, bool) else str(value)
