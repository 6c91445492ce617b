"""Which OpenFGA store and which authorization model: found by the store's name, the model being its newest."""

from collections.abc import Set
from dataclasses import dataclass

from loaders.errors import PermissionsUnavailable
from loaders.ledger import Ledger
from loaders.openfga.api import Api, Json, nonsense


@dataclass(frozen=True, slots=True)
class Pin:
    """The store and model that every request names. A model id never changes its meaning: a new model has a new id."""

    store_id: str
    model_id: str


def text(answer: Json, key: str) -> str:
    """A non-empty string of an answer."""
    value = answer.get(key)
    if not isinstance(value, str) or not value:
        raise nonsense()
    return value


def objects(answer: Json, key: str) -> list[Json]:
    """A list of objects of an answer; absent is empty (protobuf's JSON may omit it)."""
    value = answer.get(key, [])
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise nonsense()
    return value


async def find_store(api: Api, name: str, *, ledger: Ledger) -> str | None:
    """The id of the store of that name. Two stores of one name are an error: neither can be trusted to be the one."""
    ids: set[str] = set()
    token = ""
    while True:
        params = {"name": name, "page_size": "100", "continuation_token": token}
        answer = await api.request("GET", "/stores", ledger=ledger, params=params)
        # Filtered again, because a server older than the `name` parameter ignores it.
        ids |= {text(store, "id") for store in objects(answer, "stores") if store.get("name") == name}
        token = answer.get("continuation_token") or ""
        if not token:
            return the_only(ids, name)


def the_only(ids: Set[str], name: str) -> str | None:
    """The only one of these store ids; None when there is none, and an error when there are several."""
    if len(ids) > 1:
        raise PermissionsUnavailable(
            f"OpenFGA has {len(ids)} stores named {name!r}: access cannot be decided, so it is denied. "
            "Delete or rename all but the one in use."
        )
    return next(iter(ids), None)


async def newest_model(api: Api, store_id: str, *, ledger: Ledger) -> str | None:
    """The id of the model written last; None in a store without models."""
    path = f"/stores/{store_id}/authorization-models"
    answer = await api.request("GET", path, ledger=ledger, params={"page_size": "1"})
    models = objects(answer, "authorization_models")
    return text(models[0], "id") if models else None


async def find_pin(api: Api, store_name: str, *, ledger: Ledger) -> Pin:
    """Raises `PermissionsUnavailable` when store or model is missing: nothing is allowed before the migration."""
    store_id = await find_store(api, store_name, ledger=ledger)
    model_id = await newest_model(api, store_id, ledger=ledger) if store_id else None
    if store_id is None or model_id is None:
        missing = "authorization model" if store_id else f"store named {store_name!r}"
        raise PermissionsUnavailable(
            f"OpenFGA has no {missing}: access cannot be decided, so it is denied. Run `axion migrate openfga`."
        )
    return Pin(store_id, model_id)
