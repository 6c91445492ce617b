"""What the gateway's dashboard asks for is what the gateway, as a process of its own, exports."""

import pytest

from tests.deploy.grafana import exported, require_exported
from tests.system.client import Client
from tests.system.process import Gateway


async def test_the_gateway_exports_what_its_dashboard_asks(gateway: Gateway, client: Client) -> None:
    answer = await client.ask("{ gen { datasets(first: 1) { nodes { name } } } }")
    assert not answer.errors
    async with client.http.get(f"{gateway.url}/metrics") as response:
        text = await response.text()
    require_exported("gateway", text)
    assert "axion_jobs_total" not in exported(text)
    with pytest.raises(AssertionError):
        require_exported("worker", text)
