"""Content-Encoding of answers and request bodies: gzip, deflate, lz4 (frames), as clickhouse-connect uses them."""

import zlib
from typing import Protocol

import lz4.frame  # type: ignore[import-untyped]

from deploy.local.clickhouse_server.errors import ServerError, bad_arguments

_PREFERRED = ("lz4", "gzip", "deflate")


class Encoder(Protocol):
    def encode(self, data: bytes) -> bytes: ...

    def finish(self) -> bytes: ...


class Decoder(Protocol):
    def decode(self, data: bytes) -> bytes: ...

    def finish(self) -> None:
        """Raises `ServerError` when the body ended in the middle of a frame."""


class _PlainEncoder:
    def encode(self, data: bytes) -> bytes:
        return data

    def finish(self) -> bytes:
        return b""


class _PlainDecoder:
    def decode(self, data: bytes) -> bytes:
        return data

    def finish(self) -> None:
        return None


class _Lz4Encoder:
    def __init__(self) -> None:
        self._frame = lz4.frame.LZ4FrameCompressor()
        self._begun = False

    def encode(self, data: bytes) -> bytes:
        head = b"" if self._begun else self._frame.begin()
        self._begun = True
        return bytes(head + self._frame.compress(data))

    def finish(self) -> bytes:
        return self.encode(b"") + bytes(self._frame.flush())


class _ZlibEncoder:
    def __init__(self, wbits: int) -> None:
        self._stream = zlib.compressobj(level=3, wbits=wbits)

    def encode(self, data: bytes) -> bytes:
        return self._stream.compress(data)

    def finish(self) -> bytes:
        return self._stream.flush()


class _Lz4Decoder:
    def __init__(self) -> None:
        self._frame = lz4.frame.LZ4FrameDecompressor()

    def decode(self, data: bytes) -> bytes:
        out = bytearray()
        while data:
            if self._frame.eof:
                self._frame = lz4.frame.LZ4FrameDecompressor()
            try:
                out += self._frame.decompress(data)
            except RuntimeError:
                raise _broken("lz4") from None
            data = self._frame.unused_data or b""
        return bytes(out)

    def finish(self) -> None:
        if not self._frame.eof:
            raise _broken("lz4")


class _ZlibDecoder:
    def __init__(self, name: str, wbits: int) -> None:
        self._name = name
        self._wbits = wbits
        self._stream = zlib.decompressobj(wbits)

    def decode(self, data: bytes) -> bytes:
        out = bytearray()
        try:
            while data:
                if self._stream.eof:
                    self._stream = zlib.decompressobj(self._wbits)
                out += self._stream.decompress(data)
                data = self._stream.unused_data
        except zlib.error:
            raise _broken(self._name) from None
        return bytes(out)

    def finish(self) -> None:
        if not self._stream.eof:
            raise _broken(self._name)


def _broken(name: str) -> ServerError:
    return ServerError(432, "UNKNOWN_COMPRESSION_METHOD", f"The request body is not complete valid {name}.")


def negotiate(accept_encoding: str) -> str | None:
    """The encoding to answer with, or None for none: unknown names and `q=0` are passed over."""
    accepted = set()
    for part in accept_encoding.split(","):
        name, _, parameters = part.partition(";")
        if parameters.replace(" ", "") not in ("q=0", "q=0.0"):
            accepted.add(name.strip().lower())
    return next((name for name in _PREFERRED if name in accepted), None)


def encoder(name: str | None) -> Encoder:
    match name:
        case None:
            return _PlainEncoder()
        case "lz4":
            return _Lz4Encoder()
        case "gzip":
            return _ZlibEncoder(16 + zlib.MAX_WBITS)
        case "deflate":
            return _ZlibEncoder(zlib.MAX_WBITS)
    raise ValueError(f"no encoder for {name}")


def decoder(name: str) -> Decoder:
    """For a request's Content-Encoding; `ServerError` names what is understood."""
    match name.strip().lower():
        case "" | "identity":
            return _PlainDecoder()
        case "lz4":
            return _Lz4Decoder()
        case "gzip" | "x-gzip":
            return _ZlibDecoder("gzip", 16 + zlib.MAX_WBITS)
        case "deflate":
            return _ZlibDecoder("deflate", zlib.MAX_WBITS)
    raise bad_arguments(f"Content-Encoding {name!r} is not supported here: send gzip, deflate, lz4 or identity.")
