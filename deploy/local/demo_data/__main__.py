"""`python -m deploy.local.demo_data`: loads everything into the stack named by the settings."""

import asyncio
import sys

from deploy.local.demo_data.dashboards import load_dashboards
from deploy.local.demo_data.flights import load_flights
from deploy.local.demo_data.operations import Operations
from deploy.local.demo_data.people import load_people
from deploy.local.demo_data.tracks import load_tracks
from deploy.local.demo_data.workspace import load_workspace
from deploy.local.errors import StackError
from gateway.cli.configuration import load_settings
from gateway.context import Contexts
from gateway.stores import open_stores
from loaders.errors import AxionError


async def load() -> None:
    settings = load_settings()
    async with open_stores(settings) as stores:
        people = await load_people(stores)
        _say(f"people: {people}")
        operations = Operations(Contexts(stores, stores.openfga, settings.limits), people.admin)
        flights = await load_flights(stores, operations, settings)
        _say(f"flights: {flights}")
        _say(f"dashboards: {await load_dashboards(operations, flights.dataset)}")
        _say(f"tracks: {await load_tracks(stores, people)}")
        _say(f"workspace: {await load_workspace(stores, people)}")


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    try:
        asyncio.run(load())
    except (AxionError, StackError) as error:
        sys.exit(f"sample data: {error}")
