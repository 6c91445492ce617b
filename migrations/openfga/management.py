"""OpenFGA's stores and authorization models, over its SDK: asked once a release, where its cost is of no account.

What a request waits for goes through `loaders.openfga` (docs/adr/0002).
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Final

import aiohttp
from openfga_sdk.client import ClientConfiguration, OpenFgaClient
from openfga_sdk.configuration import RetryParams
from openfga_sdk.credentials import CredentialConfiguration, Credentials
from openfga_sdk.exceptions import ApiException, OpenApiException
from openfga_sdk.models import CreateStoreRequest, WriteAuthorizationModelRequest

from loaders.ledger import Ledger
from loaders.openfga.api import STORE_NAME, Refused, TimedOut, nonsense, unreachable
from loaders.openfga.store import the_only

_PAGE: Final = 100
# What the SDK lets through when an answer is not OpenFGA's: it decodes before it looks.
_NOT_OPENFGA: Final = (OpenApiException, ValueError, TypeError, AttributeError, LookupError)


class Management:
    """One server. Every method raises `PermissionsUnavailable` as `loaders.openfga.api.Api` does, and tries once."""

    def __init__(self, client: OpenFgaClient, ledger: Ledger) -> None:
        self._client = client
        self._ledger = ledger

    @classmethod
    @asynccontextmanager
    async def opened(
        cls, *, url: str, token: str | None, timeout_ms: int, ledger: Ledger
    ) -> AsyncIterator["Management"]:
        """Makes no request. `timeout_ms` is that of each request."""
        credentials = None
        if token is not None:
            credentials = Credentials(method="api_token", configuration=CredentialConfiguration(api_token=token))
        configuration = ClientConfiguration(
            api_url=url.rstrip("/"),
            credentials=credentials,
            timeout_millisec=timeout_ms,
            retry_params=RetryParams(max_retry=0),
        )
        client = OpenFgaClient(configuration)
        try:
            yield cls(client, ledger)
        finally:
            await client.close()

    async def find_store(self, name: str) -> str | None:
        """The id of the store of that name; two of one name are an error, as they are to the gateway."""
        ids: set[str] = set()
        token = ""
        while True:
            with self._asked():
                page = await self._client.list_stores({"name": name, "page_size": _PAGE, "continuation_token": token})
                ids |= {_id(store.id) for store in page.stores if store.name == name}
            token = page.continuation_token
            if not token:
                return the_only(ids, name)

    async def create_store(self, name: str) -> str:
        """Creates a store and returns its id. OpenFGA creates another one if the name exists already."""
        with self._asked():
            return _id((await self._client.create_store(CreateStoreRequest(name=name))).id)

    async def delete_store(self, store_id: str) -> None:
        """Deletes a store with its models; OpenFGA keeps the rows of its tuples."""
        with self._asked():
            self._client.set_store_id(store_id)
            await self._client.delete_store()

    async def newest_model(self, store_id: str) -> str | None:
        """The id of the latest model; None in a store without models."""
        with self._asked():
            self._client.set_store_id(store_id)
            model = (await self._client.read_latest_authorization_model()).authorization_model
            return None if model is None else _id(model.id)

    async def write_model(self, store_id: str, model: WriteAuthorizationModelRequest) -> str:
        """Uploads a model, which becomes the latest, and returns its id."""
        with self._asked():
            self._client.set_store_id(store_id)
            return _id((await self._client.write_authorization_model(model)).authorization_model_id)

    @contextmanager
    def _asked(self) -> Iterator[None]:
        with self._ledger.statement(STORE_NAME):
            try:
                yield
            except TimeoutError as error:
                raise TimedOut from error
            except aiohttp.ClientError as error:
                raise unreachable() from error
            except ApiException as error:
                if not error.status:
                    raise nonsense() from error
                raise Refused(error.status, error.code or "no reason given") from error
            except _NOT_OPENFGA as error:
                raise nonsense() from error


def _id(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError("an id is a text")
    return value
