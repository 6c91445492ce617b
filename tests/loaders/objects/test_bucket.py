import secrets
from collections.abc import AsyncIterator

import pytest

from loaders.errors import NotFound, StoreCredentialsRejected, StoreQueryFailed, StoreUnavailable
from loaders.objects.bucket import Objects
from tests.conftest import S3


def opened(s3: S3, bucket: str, *, endpoint: str | None = None, secret_key: str | None = None) -> Objects:
    return Objects.open(
        endpoint=endpoint or s3.endpoint,
        bucket=bucket,
        region="us-east-1",
        access_key=s3.access_key,
        secret_key=secret_key or s3.secret_key,
    )


@pytest.fixture(scope="module")
async def objects(s3: S3) -> AsyncIterator[Objects]:
    made = opened(s3, "axion-test-objects")
    await made.ensure_bucket()
    yield made
    await made.close()


@pytest.fixture
def folder() -> str:
    return secrets.token_hex(8)


async def test_what_is_put_is_there(objects: Objects, folder: str) -> None:
    await objects.put(f"{folder}/a b é.bin", b"\x00\x01")
    await objects.put(f"{folder}/a b é.bin", b"\x02")
    assert await objects.get(f"{folder}/a b é.bin") == b"\x02"


async def test_listing_is_by_key_at_any_depth(objects: Objects, folder: str) -> None:
    for key in ("b", "a/2", "a/1"):
        await objects.put(f"{folder}/{key}", key.encode())
    found = await objects.list(folder)
    assert [(item.key, item.size) for item in found] == [(f"{folder}/a/1", 3), (f"{folder}/a/2", 3), (f"{folder}/b", 1)]
    assert found[0].modified_at.tzinfo is not None


async def test_what_is_not_there(objects: Objects, folder: str) -> None:
    assert await objects.list(folder) == []
    with pytest.raises(NotFound):
        await objects.get(f"{folder}/none")
    await objects.delete(f"{folder}/none")


async def test_a_stream_of_several_parts_becomes_one_object(objects: Objects, folder: str) -> None:
    part = secrets.token_bytes(6 << 20)
    async with objects.open_output_stream(f"{folder}/big") as writer:
        for _ in range(3):
            await writer.write(part)
        assert await objects.list(folder) == []
    assert await objects.get(f"{folder}/big") == part * 3


async def test_a_stream_that_fails_leaves_nothing(objects: Objects, folder: str) -> None:
    async def fail_halfway() -> None:
        async with objects.open_output_stream(f"{folder}/half") as writer:
            await writer.write(b"half of it")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail_halfway()
    assert await objects.list(folder) == []


async def test_delete(objects: Objects, folder: str) -> None:
    await objects.put(f"{folder}/x", b"x")
    await objects.delete(f"{folder}/x")
    assert await objects.list(folder) == []


async def test_ensuring_the_bucket_can_be_repeated(objects: Objects) -> None:
    await objects.ensure_bucket()
    await objects.ping()


@pytest.mark.parametrize("key", ["", "/", "a//b", "../x", "a/./b", "/a", "a/"])
async def test_a_key_stays_in_the_bucket(key: str, objects: Objects) -> None:
    with pytest.raises(NotFound):
        await objects.open_input(key)
    with pytest.raises(ValueError, match="an object's key"):
        await objects.get(key)


async def test_failures_are_store_errors_without_secrets(s3: S3) -> None:
    down = opened(s3, "axion-test-objects", endpoint="http://127.0.0.1:1")
    with pytest.raises(StoreUnavailable) as unavailable:
        await down.ping()
    assert unavailable.value.store == "objects"
    rejected = opened(s3, "axion-test-objects", secret_key="wrong-Secret-1")
    with pytest.raises(StoreCredentialsRejected) as refused:
        await rejected.ping()
    assert "wrong-Secret-1" not in str(refused.value) + repr(refused.value)
    missing = opened(s3, "axion-no-such-bucket")
    with pytest.raises(StoreQueryFailed, match="no such bucket"):
        await missing.ping()
    for made in (down, rejected, missing):
        await made.close()
