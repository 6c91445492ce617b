"""Parses an HTTP request: parameters of the interface, parameters of the statement, and settings."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

from deploy.local.clickhouse_server.errors import ServerError, bad_arguments, not_implemented

_INTERFACE = frozenset(
    {
        "query", "database", "default_format", "query_id", "session_id", "session_timeout", "session_check",
        "close_session", "user", "password", "quota_key", "wait_end_of_query", "buffer_size", "client_protocol_version",
    }
)  # fmt: skip
_REFUSED = ("compress", "decompress", "role")


@dataclass(frozen=True, slots=True)
class Request:
    """`parameters` are bare names with the values as sent (ClickHouse's escaped text)."""

    method: str
    headers: Mapping[str, str]
    query: str
    database: str | None
    default_format: str | None
    query_id: str | None
    session_id: str | None
    session_timeout: float
    session_check: bool
    close_session: bool
    buffer_size: int
    wait_end_of_query: bool
    parameters: Mapping[str, str]
    settings: Mapping[str, str]


def parameters_of(query_string: bytes) -> dict[str, str]:
    """Parses the query string. A repeated name is refused, because servers disagree on which value counts."""
    try:
        pairs = parse_qsl(query_string.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=10_000)
    except ValueError:
        raise bad_arguments("The query string is not valid percent-encoded UTF-8.") from None
    found: dict[str, str] = {}
    for name, value in pairs:
        if name in found:
            raise bad_arguments(f"The parameter {name} is given twice.")
        found[name] = value
    return found


def request(method: str, headers: Mapping[str, str], given: Mapping[str, str]) -> Request:
    """Raises `ServerError` for parameters that this server knows but does not implement."""
    for name in _REFUSED:
        if given.get(name, "0") not in ("", "0", "false"):
            raise not_implemented(f"{name} is not supported by the embedded server; leave it out.")
    settings: dict[str, str] = {}
    bound: dict[str, str] = {}
    for name, value in given.items():
        if name.startswith("param_"):
            bound[name.removeprefix("param_")] = value
        elif name not in _INTERFACE and name not in _REFUSED:
            settings[name] = value
    if method == "GET" and settings.get("readonly", "0") == "0":
        settings["readonly"] = "2"
    return Request(
        method=method,
        headers=headers,
        query=given.get("query", ""),
        database=given.get("database") or headers.get("x-clickhouse-database"),
        default_format=given.get("default_format") or headers.get("x-clickhouse-format"),
        query_id=given.get("query_id") or None,
        session_id=given.get("session_id") or None,
        session_timeout=float(_whole_number(given, "session_timeout", 60)),
        session_check=_flag(given, "session_check"),
        close_session=_flag(given, "close_session"),
        buffer_size=_whole_number(given, "buffer_size", 1 << 20),
        wait_end_of_query=_flag(given, "wait_end_of_query"),
        parameters=bound,
        settings=settings,
    )


def form_fields(content_type: str, body: bytes) -> dict[str, str]:
    """Text fields of a multipart/form-data body (clickhouse-connect sends long parameters so). No files."""
    marker = next((p.strip()[9:].strip('"') for p in content_type.split(";") if p.strip().startswith("boundary=")), "")
    if not marker:
        raise bad_arguments("The multipart body has no boundary.")
    parts = (b"\r\n" + body).split(b"\r\n--" + marker.encode())
    if len(parts) < 2 or not parts[-1].startswith(b"--"):
        raise bad_arguments("The multipart body is incomplete.")
    fields: dict[str, str] = {}
    for part in parts[1:-1]:
        head, separator, value = part.partition(b"\r\n\r\n")
        name = _field_name(head.decode("latin-1"))
        if not separator or name is None:
            raise bad_arguments("The multipart body has a part without a name.")
        if "filename=" in head.decode("latin-1").lower():
            raise not_implemented("External tables are not supported by the embedded server.")
        if name in fields:
            raise bad_arguments(f"The field {name} is given twice.")
        try:
            fields[name] = value.decode()
        except UnicodeDecodeError:
            raise bad_arguments(f"The field {name} is not valid UTF-8.") from None
    return fields


def _field_name(head: str) -> str | None:
    for line in head.split("\r\n"):
        header, _, value = line.partition(":")
        if header.strip().lower() == "content-disposition":
            for part in value.split(";"):
                key, _, name = part.strip().partition("=")
                if key == "name":
                    return name.strip('"')
    return None


def _flag(given: Mapping[str, str], name: str) -> bool:
    value = given.get(name, "0").lower()
    if value not in ("", "0", "1", "true", "false"):
        raise ServerError(467, "CANNOT_PARSE_BOOL", f"The parameter {name} is not a boolean.")
    return value in ("1", "true")


def _whole_number(given: Mapping[str, str], name: str, default: int) -> int:
    value = given.get(name)
    if value is None:
        return default
    if not value.isascii() or not value.isdigit():
        raise ServerError(72, "CANNOT_PARSE_NUMBER", f"The parameter {name} is not a whole number.")
    return int(value)
