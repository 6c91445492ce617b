"""The messages of Flight SQL (FlightSql.proto of Apache Arrow), read and written in protobuf's wire format.

A message has its fields by number: text and bytes as `bytes`, booleans as `int`. Of a field that occurs several times
the last one counts, unless it is `repeated`.
"""

from collections.abc import Iterator
from dataclasses import dataclass

_PREFIX = "type.googleapis.com/arrow.flight.protocol.sql."
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


class Malformed(ValueError):
    """Not a message of Flight SQL."""


@dataclass(frozen=True, slots=True)
class Message:
    """`name` as in the .proto, such as `CommandStatementQuery`."""

    name: str
    fields: tuple[tuple[int, bytes | int], ...] = ()

    @classmethod
    def parse(cls, data: bytes) -> "Message":
        """From a packed `google.protobuf.Any`."""
        packed = dict(_fields(data))
        url, value = packed.get(1), packed.get(2, b"")
        if not isinstance(url, bytes) or not isinstance(value, bytes) or not url.startswith(_PREFIX.encode()):
            raise Malformed("not a message of Flight SQL")
        return cls(url.decode().removeprefix(_PREFIX), tuple(_fields(value)))

    def pack(self) -> bytes:
        return _written([(1, (_PREFIX + self.name).encode()), (2, _written(self.fields))])

    def text(self, number: int) -> str | None:
        value = dict(self.fields).get(number)
        return value.decode() if isinstance(value, bytes) else None

    def bytes_(self, number: int) -> bytes:
        value = dict(self.fields).get(number, b"")
        return value if isinstance(value, bytes) else b""

    def flag(self, number: int) -> bool:
        return bool(dict(self.fields).get(number, 0))

    def repeated(self, number: int) -> list[str]:
        return [value.decode() for key, value in self.fields if key == number and isinstance(value, bytes)]


def _fields(data: bytes) -> Iterator[tuple[int, bytes | int]]:
    position = 0
    while position < len(data):
        key, position = _varint(data, position)
        number, kind = key >> 3, key & 7
        if kind == _VARINT:
            value, position = _varint(data, position)
            yield number, value
            continue
        size = {_FIXED64: 8, _FIXED32: 4}.get(kind)
        if kind == _BYTES:
            size, position = _varint(data, position)
        if size is None or position + size > len(data):
            raise Malformed("a field is cut off")
        yield number, data[position : position + size]
        position += size


def _varint(data: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if position >= len(data) or shift > 63:
            raise Malformed("a number is cut off")
        byte = data[position]
        value |= (byte & 0x7F) << shift
        position, shift = position + 1, shift + 7
        if not byte & 0x80:
            return value, position


def _written(fields: "tuple[tuple[int, bytes | int], ...] | list[tuple[int, bytes | int]]") -> bytes:
    out = bytearray()
    for number, value in fields:
        if isinstance(value, int):
            out += _number(number << 3 | _VARINT) + _number(value)
        else:
            out += _number(number << 3 | _BYTES) + _number(len(value)) + value
    return bytes(out)


def _number(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
