"""`axion keys` as the one-shot job of a deployment: what it prints, and how it ends."""

import asyncio
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from deploy.local.paths import CHECKOUT
from tests.loaders.secrets.conftest import KEYS, Secrets, gen_url, secrets

__all__ = ["gen_url", "secrets"]


@dataclass(frozen=True, slots=True)
class Ended:
    code: int | None
    lines: list[str]
    errors: str


async def axion(settings: Mapping[str, str], *words: str) -> Ended:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AXION_")}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "gateway.cli", *words),
        cwd=CHECKOUT,
        env={**kept, "PYTHONPATH": str(CHECKOUT), **settings},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await process.communicate()
    return Ended(process.returncode, output.decode().splitlines(), errors.decode())


def keys(env_file: Path, gen_url: str, *versions: int) -> dict[str, str]:
    """The last version is current. Version 1 of the env file is there in any case."""
    return {
        "AXION_ENV_FILE": str(env_file.resolve()),
        "AXION_DATABASES__AXION_GEN__WORKER_URL": gen_url,
        "AXION_ENCRYPTION__KEYS": json.dumps({version: KEYS[version] for version in versions}),
        "AXION_ENCRYPTION__CURRENT_VERSION": str(versions[-1]),
    }


async def test_rotated_it_ends_well(secrets: Secrets, gen_url: str, env_file: Path) -> None:
    await secrets.data_source(b"one", 1)
    await secrets.token(b"two", 1)
    ended = await axion(keys(env_file, gen_url, 1, 2), "keys", "rotate", "--json")
    assert (ended.code, ended.errors) == (0, "")
    assert json.loads(ended.lines[0]) == {"done": 0, "total": 2}
    assert json.loads(ended.lines[-1]) == {"toVersion": 2, "resealed": 2, "unopened": 0, "left": 0}
    usage = await axion(keys(env_file, gen_url, 1, 2), "keys", "usage")
    assert [json.loads(line) for line in usage.lines] == [
        {"table": "data_sources", "keyVersion": 2, "rows": 1},
        {"table": "user_external_api_tokens", "keyVersion": 2, "rows": 1},
    ]


async def test_a_missing_version_ends_badly_and_is_named(secrets: Secrets, gen_url: str, env_file: Path) -> None:
    lost, kept = await secrets.data_source(b"lost", 2), await secrets.data_source(b"kept", 1)
    ended = await axion(keys(env_file, gen_url, 1, 3), "keys", "rotate", "--json")
    assert ended.code == 1
    assert "encryption key version 2, which is not configured" in ended.errors
    row, summary = (json.loads(line) for line in ended.lines[-2:])
    assert row == {"table": "data_sources", "id": str(lost), "keyVersion": 2, "code": "ENCRYPTION_KEY_MISSING"}
    assert summary == {"toVersion": 3, "resealed": 1, "unopened": 1, "left": 0}
    assert await secrets.versions([lost, kept]) == [2, 3]


@pytest.mark.parametrize("command", ["rotate", "usage"])
async def test_a_database_that_is_away_ends_badly(command: str, env_file: Path) -> None:
    ended = await axion(keys(env_file, "postgresql://a:secret-of-a@127.0.0.1:1/gen", 1), "keys", command)
    assert ended.code == 1
    assert "axion_gen" in ended.errors
    assert "secret-of-a" not in ended.errors
