"""Whether a browser's page may open a WebSocket here: browsers apply no same-origin rule to WebSockets themselves."""

from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.types import Scope


def origin_allowed(scope: Scope, allowed_origins: Collection[str]) -> bool:
    """No Origin is no browser. Otherwise the page's host and port must be those it called, or the origin be allowed
    (`*` allows all). What cannot be parsed is not allowed.
    """
    headers = dict(scope["headers"])
    origin = headers.get(b"origin")
    if origin is None:
        return True
    text = origin.decode("latin-1").lower()
    if text in allowed_origins or "*" in allowed_origins:
        return True
    host = headers.get(b"host", b"").decode("latin-1").lower()
    try:
        return bool(host) and urlsplit(text).netloc == host
    except ValueError:
        return False
