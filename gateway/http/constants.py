"""Answers that never change while the process lives: those of operations that ask for nothing but the schema itself.

Introspection of a large schema costs a second of CPU in graphql-core; it is paid once per document.
"""

from collections import OrderedDict

from gateway.http.documents import Operation

_MAX_BYTES = 16_000_000


class Constants:
    """Encoded answers of constant operations, the least recently used given up first."""

    def __init__(self) -> None:
        self._payloads: OrderedDict[Operation, bytes] = OrderedDict()
        self._bytes = 0

    def get(self, operation: Operation) -> bytes | None:
        payload = self._payloads.get(operation)
        if payload is not None:
            self._payloads.move_to_end(operation)
        return payload

    def keep(self, operation: Operation, payload: bytes) -> None:
        if operation in self._payloads or len(payload) > _MAX_BYTES:
            return
        self._payloads[operation] = payload
        self._bytes += len(payload)
        while self._bytes > _MAX_BYTES:
            _, given_up = self._payloads.popitem(last=False)
            self._bytes -= len(given_up)
