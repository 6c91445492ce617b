"""A record batch as ClickHouse sent it."""

import asyncio
from dataclasses import dataclass

import pyarrow as pa

from loaders.clickhouse.arrow_decoder import MessageTooLarge, NotArrow, decoded_size, in_utc
from loaders.clickhouse.errors import broken_off, too_large
from loaders.columnar.sound import UnsoundBatch, read_sound

_IN_A_THREAD_BYTES = 256 << 10


@dataclass(frozen=True, slots=True)
class EncodedBatch:
    """`message` is a whole Arrow IPC message, compressed as the store chose; `schema` is the store's."""

    store: str
    schema: pa.Schema
    message: pa.Buffer

    async def decoded(self) -> pa.RecordBatch:
        """The batch with instants in UTC. `StoreUnavailable` for a broken message, `StoreQueryFailed` for one that is
        too large.
        """
        try:
            if decoded_size(self.message) < _IN_A_THREAD_BYTES:
                return in_utc(self._decode())
            return in_utc(await asyncio.to_thread(self._decode))
        except MessageTooLarge as error:
            raise too_large(self.store) from error
        except (NotArrow, UnsoundBatch) as error:
            raise broken_off(self.store, b"") from error

    def _decode(self) -> pa.RecordBatch:
        return read_sound(self.message, self.schema)
