"""The gateway's own S3 bucket, which holds vector tiles. Data sources have buckets of their own."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self, TypeVar
from urllib.parse import urlsplit

import pyarrow as pa
from pyarrow import fs

from loaders.errors import Conflict, NotFound
from loaders.objects.s3_errors import store_error

T = TypeVar("T")

STORE = "objects"
_CONNECT_S = 3.0
_REQUEST_S = 15.0
_ATTEMPTS = 3
_THREADS = 8
_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Object:
    """An object of the bucket. `key` is its path within the bucket."""

    key: str
    size: int
    modified_at: datetime


class ObjectReader:
    """One version of an object: `size` in bytes, `etag` in quotes, `modified_at`."""

    def __init__(
        self,
        found: Object,
        etag: str,
        read: Callable[[int, int], Awaitable[bytes]],
        current: Callable[[], Awaitable[str]],
    ) -> None:
        self.size, self.modified_at, self.etag = found.size, found.modified_at, etag
        self._read, self._current = read, current

    async def stream(self, start: int, end: int) -> AsyncIterator[bytes]:
        """The bytes from `start` up to but not including `end`, holding one chunk in memory and reading nothing ahead.

        Raises `Conflict` before the last chunk when the object was replaced meanwhile, so that versions are never
        mixed.
        """
        for at in range(start, end, _CHUNK_BYTES):
            wanted = min(_CHUNK_BYTES, end - at)
            chunk = await self._read(at, wanted)
            if len(chunk) != wanted or (at + wanted == end and at > start and await self._current() != self.etag):
                raise Conflict("The object was replaced while it was read. Read it again.")
            yield chunk


class ObjectWriter:
    """An object being written. It does not exist under its key until the block of `open_output_stream` has ended."""

    def __init__(self, write: Callable[[bytes], Awaitable[int]]) -> None:
        self._write = write

    async def write(self, data: bytes) -> None:
        """Returns when the bytes are accepted; about one part (10 MiB) is held in memory."""
        await self._write(data)


class Objects:
    """Runs blocking calls in threads of its own. Keys are plain paths without `..`; errors name the store `objects`."""

    def __init__(self, filesystem: fs.FileSystem, bucket: str) -> None:
        self._files = filesystem
        self._bucket = bucket
        self._executor = ThreadPoolExecutor(_THREADS, thread_name_prefix=STORE)

    @classmethod
    def open(cls, *, endpoint: str, bucket: str, region: str, access_key: str, secret_key: str) -> Self:
        """Makes no request."""
        address = urlsplit(endpoint)
        filesystem = fs.S3FileSystem(
            access_key=access_key,
            secret_key=secret_key,
            endpoint_override=address.netloc,
            scheme=address.scheme,
            region=region,
            connect_timeout=_CONNECT_S,
            request_timeout=_REQUEST_S,
            retry_strategy=fs.AwsStandardS3RetryStrategy(max_attempts=_ATTEMPTS),
            allow_bucket_creation=True,
        )
        return cls(filesystem, bucket)

    async def ping(self) -> None:
        """Returns when the bucket can be listed."""
        await self._call(lambda: self._files.get_file_info(fs.FileSelector(self._bucket)))

    async def ensure_bucket(self) -> None:
        """Creates the bucket if it does not exist."""
        await self._call(lambda: self._files.create_dir(self._bucket))

    async def put(self, key: str, data: bytes) -> None:
        """Replaces an existing object atomically."""
        path = self._path(key)

        def write() -> None:
            with self._files.open_output_stream(path) as stream:
                stream.write(data)

        await self._call(write)

    async def get(self, key: str) -> bytes:
        """The whole object, in memory. `NotFound` when there is none."""
        path = self._path(key)

        def read() -> bytes:
            with self._files.open_input_stream(path) as stream:
                data: bytes = stream.read()
            return data

        try:
            return await self._call(read)
        except FileNotFoundError:
            raise NotFound("There is no such object.") from None

    async def open_input(self, key: str) -> ObjectReader:
        """Opens the object for reading ranges. `NotFound` when there is none."""
        if not _is_key(key):
            raise NotFound("There is no such object.")
        path = self._path(key)

        def look() -> tuple[pa.NativeFile, str, datetime]:
            opened = self._files.open_input_file(path)
            return opened, _etag(opened), self._files.get_file_info(path).mtime

        try:
            opened, etag, modified_at = await self._call(look)
        except FileNotFoundError:
            raise NotFound("There is no such object.") from None

        async def read(at: int, wanted: int) -> bytes:
            return bytes(await self._call(lambda: opened.read_at(wanted, at)))

        async def current() -> str:
            return await self._call(lambda: _etag(self._files.open_input_file(path)))

        return ObjectReader(Object(key, opened.size(), modified_at), etag, read, current)

    async def list(self, prefix: str = "") -> Sequence[Object]:
        """The objects at any depth below a folder, ordered by key; empty when there is no such folder."""
        root = self._path(prefix) if prefix else self._bucket

        def look() -> list[Object]:
            found = self._files.get_file_info(fs.FileSelector(root, recursive=True))
            return sorted((self._object(entry) for entry in found if entry.type is fs.FileType.File), key=_key_of)

        try:
            return await self._call(look)
        except FileNotFoundError:
            return []

    async def delete(self, key: str) -> None:
        """Deletes the object; does nothing when there is none."""
        path = self._path(key)
        try:
            await self._call(lambda: self._files.delete_file(path))
        except FileNotFoundError:
            return

    @asynccontextmanager
    async def open_output_stream(self, key: str) -> AsyncIterator[ObjectWriter]:
        """Starts a multipart upload. When the block raises or is cancelled, no object is left under the key."""
        path = self._path(key)
        stream = await self._call(lambda: self._files.open_output_stream(path))

        async def write(data: bytes) -> int:
            return int(await self._call(lambda: stream.write(data)))

        try:
            yield ObjectWriter(write)
        except BaseException:
            await asyncio.shield(self._call(lambda: self._give_up(stream, path)))
            raise
        await self._call(stream.close)

    async def close(self) -> None:
        self._executor.shutdown(wait=False, cancel_futures=True)

    def _give_up(self, stream: pa.NativeFile, path: str) -> None:
        """Ends and removes the upload, because pyarrow cannot abort one."""
        stream.close()
        self._files.delete_file(path)

    async def _call(self, function: Callable[[], T]) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._executor, function)
        except FileNotFoundError:
            raise
        except (OSError, pa.ArrowException) as error:
            raise store_error(STORE, error) from error

    def _path(self, key: str) -> str:
        if not _is_key(key):
            raise ValueError("an object's key is folder names and a file name with single slashes between them")
        return f"{self._bucket}/{key}"

    def _object(self, entry: fs.FileInfo) -> Object:
        modified_at = datetime.fromtimestamp(entry.mtime_ns / 1e9, UTC)
        return Object(entry.path[len(self._bucket) + 1 :], entry.size, modified_at)


def _is_key(key: str) -> bool:
    return not any(part in ("", ".", "..") for part in key.split("/"))


def _key_of(found: Object) -> str:
    return found.key


def _etag(opened: pa.NativeFile) -> str:
    etag: bytes = opened.metadata()["ETag"]
    return etag.decode("latin-1")
