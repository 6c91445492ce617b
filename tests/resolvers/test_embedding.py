"""Texts of a read become vectors: each text once, all in one request, and nothing is asked where there is none."""

from collections.abc import Sequence

from loaders.read import Col, Compare, CosineSimilarity, Op, OrderBy, Read, Words
from loaders.vectors.local import LocalHashing
from resolvers.embedding import embedded, embedded_values
from tests.resolvers.test_cost import TABLE


class Counted(LocalHashing):
    """The local model, which notes what it was asked."""

    def __init__(self) -> None:
        super().__init__(8)
        self.asked: list[list[str]] = []

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        self.asked.append(list(texts))
        return await super().embed(texts)


def _near(vector: tuple[float, ...] | Words) -> Read:
    near = CosineSimilarity("id", vector)
    return Read(TABLE, where=Compare(near, Op.GT, 0.5), order=(OrderBy(near, descending=True),))


async def test_each_text_once() -> None:
    model = Counted()
    (vector,) = await LocalHashing(8).embed(["a b"])
    assert await embedded(_near(Words("a b")), model) == _near(tuple(vector))
    found = await embedded_values([1, Words("a b"), "x", Words("c"), Words("a b")], model)
    assert (found[0], found[1], found[2], found[4]) == (1, tuple(vector), "x", tuple(vector))
    assert model.asked == [["a b"], ["a b", "c"]]


async def test_without_texts_nothing_is_asked() -> None:
    model = Counted()
    for read in (_near((1.0, 0.0)), Read(TABLE, where=Compare(Col("id"), Op.EQ, 1))):
        assert await embedded(read, model) is read
    values = [1, "x", (0.5,)]
    assert await embedded_values(values, model) is values
    assert model.asked == []
