"""PostGraphile 5 with node 22, both from npm, installed once into the cache folder (package.json pins them)."""

import hashlib
import json
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from joserfc.jwk import RSAKey

from deploy.local.command import run_logged
from deploy.local.paths import cache_folder
from gateway.settings import Settings
from tests.benchmarks.server import Server, free_port, serving

_HERE = Path(__file__).parent
_VERSIONS = ("node", "postgraphile")


def install() -> Path:
    """The folder with `node_modules` and the server. Raises `StackError` with npm's last lines."""
    recipe = hashlib.sha256((_HERE / "package.json").read_bytes()).hexdigest()[:12]
    folder = cache_folder() / "bench" / f"postgraphile-{recipe}"
    if not folder.is_dir():
        building = folder.with_suffix(".building")
        shutil.rmtree(building, ignore_errors=True)
        building.mkdir(parents=True)
        shutil.copy(_HERE / "package.json", building)
        command = ("npm", "install", "--prefix", str(building), "--no-audit", "--no-fund")
        run_logged(command, log=building / "npm.log")
        building.rename(folder)
    shutil.copy(_HERE / "server.mjs", folder)
    return folder


def version(folder: Path) -> str:
    def of(package: str) -> str:
        found: str = json.loads((folder / "node_modules" / package / "package.json").read_text())["version"]
        return found

    return ", ".join(f"{package} {of(package)}" for package in _VERSIONS)


@asynccontextmanager
async def postgraphile(settings: Settings, *, logs: Path) -> AsyncIterator[Server]:
    """Serves `axion_sense` under the gateway's own role. Tokens of the demo issuer are verified when they are sent."""
    folder, port = install(), free_port()
    assert settings.demo_issuer_key is not None
    key_file = folder / "issuer.pem"
    key_file.write_bytes(RSAKey.import_key(settings.demo_issuer_key.get_secret_value()).as_pem(private=False))
    environment = {
        "PATH": os.environ["PATH"],
        "DATABASE_URL": settings.databases.axion_sense.app_url.get_secret_value(),
        "PORT": str(port),
        "JWT_KEY_FILE": str(key_file),
        "JWT_AUDIENCE": settings.oidc.audience,
        "NODE_ENV": "production",
        "GRAPHILE_ENV": "production",
    }
    node = folder / "node_modules" / "node" / "bin" / "node"
    command = (str(node), "server.mjs")
    async with serving(command, port=port, environment=environment, log=logs / "postgraphile.log", folder=folder) as it:
        yield it
