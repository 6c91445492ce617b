"""What the sample data has that tests ask for by name."""

from typing import Any

from tests.system.client import Client


async def flights_dataset(client: Client, shown: str = "", *, user: str = "admin") -> Any:
    """The dataset of the flights of New York, with its global `id` and the fields `shown`."""
    document = f'{{ gen {{ datasets(where: {{name: {{eq: "nycflights13"}}}}) {{ nodes {{ id {shown} }} }} }} }}'
    (dataset,) = (await client.ask(document, user=user)).data["gen"]["datasets"]["nodes"]
    return dataset
