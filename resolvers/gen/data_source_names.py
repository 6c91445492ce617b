"""Keeps permissions in step with a data source's name, which they contain."""

from uuid import UUID

from loaders.errors import Conflict
from loaders.gen.catalog import dataset_ids_over
from loaders.gen.role_assignments import roles_at_data_source
from loaders.openfga import names, outbox
from loaders.openfga.parents import dataset_parent, datasource_parent
from loaders.openfga.roles import assigned_role
from resolvers.context import Context
from resolvers.gen.granting import Granting


class NotFreeYet(Conflict):
    """The permissions of the former holder of the name are still being removed."""


async def require_free(change: Granting, name: str) -> None:
    """Raises `NotFreeYet` while permissions of another data source of this name would apply to its next holder. To be
    called after the name was taken in this transaction.
    """
    if await outbox.is_waiting(change.within, names.datasource(name)):
        message = f"A data source was called `{name}` a moment ago, and its permissions are still being taken back."
        raise NotFreeYet(f"{message} Try again in a moment, or choose another name.", field="name")


async def move_permissions(context: Context, change: Granting, id_: UUID, *, old: str, new: str) -> None:
    """Moves the permissions of the data source `old` to its new name, in the transaction that renames it. The row is
    locked, so that nobody adds a dataset or assigns a role to it meanwhile.

    The tuples of each object change atomically. Tuples of `old` that were written outside of the gateway are deleted
    and not moved: they may have been revoked, with the deletion still pending. Until OpenFGA has accepted all of them,
    some users see less than they may.
    """
    await require_free(change, new)
    within, before, after = change.within, names.datasource(old), names.datasource(new)
    roles = await roles_at_data_source(within, id_)
    datasets = await dataset_ids_over(within, id_)
    gone = [datasource_parent(old), *(assigned_role(role, before) for role in roles)]
    gone += [tuple_ async for tuple_ in context.stores.openfga.read(object_=before, ledger=context.ledger)]
    await change.note(
        writes=[
            datasource_parent(new),
            *(assigned_role(role, after) for role in roles),
            *(dataset_parent(dataset, datasource=new) for dataset in datasets),
        ],
        deletes=[*dict.fromkeys(gone), *(dataset_parent(dataset, datasource=old) for dataset in datasets)],
    )
