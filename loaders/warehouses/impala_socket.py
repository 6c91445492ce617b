"""The connection to a server that speaks HiveServer2, which sends as much in one answer as it likes."""

from typing import Final

import impala.error
from thrift.transport.TSocket import TSocket

ANSWER_BYTES: Final = 128 << 20
"""Of one answer: some thousand rows at most, which are asked for so that they take 16 MiB if they are all alike."""


class AnswerTooLarge(impala.error.OperationalError):  # type: ignore[misc]  # impyla is not typed
    """What the server sends in one answer is not read to its end."""


class MeasuredSocket(TSocket):  # type: ignore[misc]  # thrift is not typed
    """Ends for good with an answer of more than `limit` bytes: what is left of it cannot be told from the next one.

    Thrift holds an answer in memory as a whole, and its own limits are for each value of it.
    """

    def __init__(self, host: str, port: int, *, limit: int = ANSWER_BYTES) -> None:
        super().__init__(host, port)
        self._limit = limit
        self._received = 0

    def open(self) -> None:
        if self._received > self._limit:
            raise AnswerTooLarge
        super().open()

    def read(self, sz: int) -> bytes:
        received: bytes = super().read(sz)
        self._received += len(received)
        if self._received > self._limit:
            self.close()
            raise AnswerTooLarge
        return received

    def write(self, buff: bytes) -> None:
        self._received = 0
        super().write(buff)
