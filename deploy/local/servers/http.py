"""Checks whether a local HTTP endpoint answers as a ready server does."""

import http.client
from urllib.parse import urlsplit


def complaint(url: str, *, expected: bytes) -> str | None:
    """None when GET `url` is 200 and its body contains `expected`; else what was seen instead."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "127.0.0.1", parts.port, timeout=5)
    try:
        connection.request("GET", parts.path or "/")
        response = connection.getresponse()
        body = response.read(65_536)
    except (OSError, http.client.HTTPException) as error:
        return f"GET {parts.path}: {error}"
    finally:
        connection.close()
    if response.status != 200 or expected not in body:
        return f"GET {parts.path} answered {response.status}: {body[:400].decode(errors='replace')}"
    return None
