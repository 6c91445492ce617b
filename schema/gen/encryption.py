"""The encryption key of stored secrets: which versions are in use, and the rotation to the current one."""

from typing import Any

import strawberry

from resolvers.context import Context
from resolvers.gen.encryption import versions_in_use
from resolvers.idempotency import MutationRequest
from resolvers.jobs.start import start_encryption_key_rotate
from resolvers.permissions.guards import Admins
from schema.mapping.mutation import idempotent_mutation
from schema.mapping.payload import make_payload

GenEncryptionKeyRotatePayload = make_payload(
    "GenEncryptionKeyRotatePayload", "job", "Job", "The rotation was started in the background."
)


@strawberry.type(description="The number of stored secrets encrypted under a version of the encryption key.")
class GenEncryptionKeyUsage:
    table: str = strawberry.field(description="The table that stores the secrets, such as `data_sources`.")
    key_version: int = strawberry.field(description="The version of the key.")
    rows: int = strawberry.field(description="The number of secrets that need this version for decryption.")
    is_current: bool = strawberry.field(description="Whether new secrets are encrypted under this version.")
    is_configured: bool = strawberry.field(
        description="Whether the gateway is configured with this version; without it the secrets cannot be decrypted."
    )


async def _usage(info: strawberry.Info[Context, None]) -> list[GenEncryptionKeyUsage] | None:
    return [
        GenEncryptionKeyUsage(
            table=each.usage.table,
            key_version=each.usage.key_version,
            rows=each.usage.rows,
            is_current=each.is_current,
            is_configured=each.is_configured,
        )
        for each in await versions_in_use(info.context)
    ]


encryption_key_usage = strawberry.field(
    resolver=_usage,
    metadata={"guard": Admins()},
    description="Versions of the encryption key that stored secrets need, by table. For administrators.",
)


@strawberry.input(description="Rotates to the version of the encryption key that is current in the gateway's settings.")
class GenEncryptionKeyRotateInput:
    to_version: int = strawberry.field(description="The version you expect to be current. Another one is refused.")


async def _rotate(context: Context, given: GenEncryptionKeyRotateInput, asked: MutationRequest) -> Any:
    job = await start_encryption_key_rotate(context, to_version=given.to_version, asked=asked)
    return GenEncryptionKeyRotatePayload(key=(job.id,))


@strawberry.type
class EncryptionMutation:
    gen_encryption_key_rotate = idempotent_mutation(
        _rotate,
        takes=GenEncryptionKeyRotateInput,
        answers=GenEncryptionKeyRotatePayload,
        guard=Admins(),
        description="Starts a job that re-encrypts stored secrets under the current encryption key. For "
        "administrators.",
    )
