"""The doctor on a real OpenFGA with lists of the required length, and on one that cuts them."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from deploy.local.doctor import Verdict
from gateway.cli.doctor import lists
from gateway.cli.failure import CommandFailed
from gateway.settings import Settings
from loaders.ledger import Ledger
from loaders.openfga.api import Api
from tests.loaders.openfga.conftest import openfga_binary
from tests.loaders.openfga.server import Server, own_server

__all__ = ["openfga_binary"]  # a fixture


def configured(settings: Settings, server: Server) -> Settings:
    openfga = settings.openfga.model_copy(update={"url": server.url, "token": SecretStr(server.token)})
    return settings.model_copy(update={"openfga": openfga})


@pytest.mark.parametrize(
    ("options", "verdict", "found"),
    [
        ((), Verdict.OK, "1,000 objects, or more"),
        (("--listObjects-max-results=0",), Verdict.OK, "1,000 objects, or more"),
        (("--listObjects-max-results=70",), Verdict.MISSING, "cut after 70 objects"),
    ],
)
async def test_how_long_lists_are(
    settings: Settings, openfga_binary: Path, options: tuple[str, ...], verdict: Verdict, found: str
) -> None:
    """Nothing is left of the trial."""
    async with own_server(openfga_binary, *options) as server:
        check = await lists(configured(settings, server))
        api = await Api.open(url=server.url, token=server.token, timeout_ms=5_000)
        stores = await api.request("GET", "/stores", ledger=Ledger())
        await api.close()
    assert (check.verdict, check.found) == (verdict, found)
    assert ("--listObjects-max-results" in check.remedy) == (verdict is Verdict.MISSING)
    assert stores["stores"] == []


async def test_an_openfga_that_is_away(settings: Settings, openfga_binary: Path) -> None:
    async with own_server(openfga_binary) as server:
        gone = configured(settings, server)
    with pytest.raises(CommandFailed, match="cannot be reached"):
        await lists(gone)
