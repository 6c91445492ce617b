"""How a workspace's id follows from its path (reference/aura-data-model.md, section 6)."""

import hashlib


def normalized_path(path: str) -> str:
    """The path with forward slashes, none doubled and none at the end."""
    parts = [part for part in path.replace("\\", "/").split("/") if part]
    return ("/" if path.startswith(("/", "\\")) else "") + "/".join(parts)


def workspace_id(path: str) -> str:
    """The first 16 hex digits of the SHA-256 of the normalized path."""
    return hashlib.sha256(normalized_path(path).encode()).hexdigest()[:16]
