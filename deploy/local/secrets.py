"""The stack's generated secrets: created once, stored in the state folder for its user only, never printed."""

import base64
import json
import os
import secrets as random
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa


def _token() -> str:
    return random.token_hex(24)


def _key() -> str:
    return base64.b64encode(random.token_bytes(32)).decode()


def _pem() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


@dataclass(frozen=True, slots=True, repr=False)
class Secrets:
    postgres_admin: str = field(default_factory=_token)
    postgres_app: str = field(default_factory=_token)
    postgres_worker: str = field(default_factory=_token)
    postgres_migrate: str = field(default_factory=_token)
    openfga_database: str = field(default_factory=_token)
    openfga_token: str = field(default_factory=_token)
    clickhouse: str = field(default_factory=_token)
    objects_access_key: str = field(default_factory=lambda: random.token_hex(10))
    objects_secret_key: str = field(default_factory=_token)
    flight_sql_password: str = field(default_factory=_token)
    flight_sql_token: str = field(default_factory=_token)
    impala_password: str = field(default_factory=_token)
    encryption_key: str = field(default_factory=_key)
    demo_issuer_key: str = field(default_factory=_pem)


def keep_secrets(path: Path) -> Secrets:
    """The stored secrets. Missing ones (a first run, a newer version's secret) are generated and stored."""
    kept: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
    known = {entry.name for entry in fields(Secrets)}
    secrets = Secrets(**{name: value for name, value in kept.items() if name in known})
    if asdict(secrets) != kept:
        write_private(path, json.dumps(asdict(secrets), indent=1))
    return secrets


def write_private(path: Path, text: str) -> None:
    """Replaces the file atomically. Only its owner can read it."""
    partial = path.with_name(f"{path.name}.partial")
    partial.unlink(missing_ok=True)
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as handle:
        handle.write(text)
    partial.replace(path)
