"""An API that moves to another address or is deleted: what users entrusted to it ends with it."""

from collections.abc import Mapping
from urllib.parse import urlsplit
from uuid import UUID

from loaders.audit.entry import Action
from loaders.oauth.apis import ADDRESSES, addresses, api_name, forget_entrusted
from loaders.oauth.revocations import note
from loaders.postgres.stored_table import Key
from loaders.postgres.write import Transaction
from loaders.read import Value
from resolvers.audit import audit
from resolvers.context import Context


async def forget_if_moved(context: Context, within: Transaction, key: Key, patch: Mapping[str, Value]) -> None:
    """To be called before a change of an API, under the lock of its row. If an address gets another scheme, host or
    port, the client secret, all users' tokens and the authorizations under way are deleted, and the audit log has it.
    The tokens are revoked at the old address.

    A new revocation endpoint on the host of the token endpoint is no move.
    """
    given = [name for name in ADDRESSES if name in patch]
    if not given:
        return
    id_ = _id(key)
    was = {name: origin(url) for name, url in (await addresses(within, id_)).items()}
    will = {name: origin(str(patch[name])) if patch[name] else None for name in given}
    beside = will.get("token_url", was["token_url"])
    moved = {
        name: {"from": was[name], "to": place}
        for name, place in will.items()
        if place not in (None, was[name]) and not (name == "revocation_url" and place == beside)
    }
    if not moved:
        return
    noted = await note(within, id_)
    gone = await forget_entrusted(within, id_)
    facts = {"addresses": moved, "connectionsForgotten": gone, "tokensToRevoke": noted.tokens}
    await audit(context, within, Action.EXTERNAL_API_MOVED, f"external_api:{id_}", facts)


async def revoke_if_deleted(context: Context, within: Transaction, key: Key, _: Mapping[str, Value]) -> None:
    """To be called before an API is deleted: the tokens of all users are revoked, and the audit log has it."""
    id_ = _id(key)
    name = await api_name(within, id_)
    noted = await note(within, id_)
    facts = {"name": name, "tokensToRevoke": noted.tokens}
    await audit(context, within, Action.EXTERNAL_API_DELETED, f"external_api:{id_}", facts)


def _id(key: Key) -> UUID:
    (id_,) = key
    assert isinstance(id_, UUID)
    return id_


def origin(url: str | None) -> str | None:
    """Scheme, host and port in a form that can be compared: `https://api.example:443`."""
    if url is None:
        return None
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:  # no URL, or a port that is not a number: equal to no origin
        return url
    return f"{parts.scheme}://{parts.hostname}:{port or {'https': 443, 'http': 80}.get(parts.scheme)}"
