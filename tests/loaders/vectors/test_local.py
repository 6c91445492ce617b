import hashlib
import math
import subprocess
import sys

import pytest

from deploy.local.samples.source import starlette_chunks
from loaders.vectors.local import LocalHashing, stem


def cosine(left: list[float], right: list[float]) -> float:
    return math.fsum(a * b for a, b in zip(left, right, strict=True))


def test_it_says_what_it_is() -> None:
    assert LocalHashing().model == "local-hashing-v1"
    assert LocalHashing().dimensions == 1536


def test_vectors_are_the_same_in_every_process() -> None:
    program = (
        "import hashlib, struct; from loaders.vectors.local import LocalHashing; "
        "vector = LocalHashing().vector('WebSocket close_code 1000 schön 漢'); "
        "print(hashlib.sha256(struct.pack('<1536d', *vector)).hexdigest())"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(digests) == 1
    assert len(digests.pop().strip()) == hashlib.sha256().digest_size * 2


@pytest.mark.parametrize("text", ["close", "", " ", "…", "the of and", "a" * 100_000, "漢字", "\ud800", "\x00"])
@pytest.mark.parametrize("dimensions", [1, 8, 1536])
def test_every_text_has_a_direction_of_length_1(text: str, dimensions: int) -> None:
    vector = LocalHashing(dimensions).vector(text)
    assert len(vector) == dimensions
    assert math.isclose(math.fsum(value * value for value in vector), 1.0)


@pytest.mark.parametrize(
    ("near", "far"),
    [
        (("WebSocketClose", "web socket close"), ("WebSocketClose", "gzip level")),
        (("close_code", "closing codes"), ("close_code", "open mode")),
        (("iter_text", "iterText"), ("iter_text", "headers")),
        (("parsing forms", "parse_form"), ("parsing forms", "static file")),
        (("authentication", "authenticate"), ("authentication", "compression")),
    ],
)
def test_words_of_one_stem_meet(near: tuple[str, str], far: tuple[str, str]) -> None:
    model = LocalHashing()
    assert cosine(*map(model.vector, near)) > 0.25 > cosine(*map(model.vector, far))


@pytest.mark.parametrize(
    ("word", "stemmed"),
    [("closing", "clos"), ("close", "clos"), ("closes", "clos"), ("class", "class"), ("as", "as"), ("codes", "cod")],
)
def test_stem(word: str, stemmed: str) -> None:
    assert stem(word) == stemmed


@pytest.mark.parametrize(
    ("query", "path"),
    [
        ("websocket close code", "starlette/websockets.py"),
        ("session cookie signing", "starlette/middleware/sessions.py"),
        ("CORS preflight request", "starlette/middleware/cors.py"),
        ("how are static files served", "starlette/staticfiles.py"),
        ("parse multipart form upload", "starlette/formparsers.py"),
    ],
)
async def test_a_search_in_real_source_finds_the_right_file_first(query: str, path: str) -> None:
    model, chunks = LocalHashing(), starlette_chunks()
    vectors = await model.embed([f"{chunk.title}\n{chunk.text}" for chunk in chunks])
    (asked,) = await model.embed([query])
    best = max(range(len(chunks)), key=lambda number: cosine(asked, vectors[number]))
    assert chunks[best].path == path
