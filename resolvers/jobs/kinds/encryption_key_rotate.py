"""Job kind `encryption_key_rotate`: re-encrypts stored secrets under the current version of the encryption key.

Arguments `{toVersion}`; result `{resealed, toVersion}`. Rows that cannot be decrypted fail the job after all others are
done.
"""

from loaders.errors import EncryptionKeyMissing
from loaders.jobs.job import JsonObject
from loaders.secrets.rotation import rotate
from resolvers.gen.store import STORE
from resolvers.jobs.kinds.kind import JobContext

NAME = "encryption_key_rotate"


def arguments_of(to_version: int) -> JsonObject:
    return {"toVersion": to_version}


async def run(job: JobContext, arguments: JsonObject) -> JsonObject:
    await job.context.verdicts.require_admin()
    stores, wanted = job.context.stores, int(str(arguments["toVersion"]))
    if stores.keyring.current_version != wanted:
        raise EncryptionKeyMissing(
            f"The rotation was started to key version {wanted}; the current one of this worker is "
            f"{stores.keyring.current_version}. Restart gateway and workers with the same encryption keys."
        )

    def told(done: int, total: int) -> None:
        job.report(done / total if total else 1.0, f"{done} of {total} secrets")

    rotated = await rotate(stores.postgres[STORE], stores.keyring, ledger=job.context.ledger, told=told)
    if (failure := rotated.failure) is not None:
        raise failure
    return {"resealed": rotated.resealed, "toVersion": rotated.to_version}
