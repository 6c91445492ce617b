"""Replaces search texts by vectors, after the guard and before the read is compiled, with one request per read."""

from collections.abc import Sequence

from loaders.parameters import fill, split
from loaders.read import Read, Value, Words
from loaders.vectors.embeddings import Embeddings


async def embedded(read: Read, embeddings: Embeddings) -> Read:
    """The read with a vector for each text. Raises what the embeddings raise."""
    shape, values = split(read)
    if not any(isinstance(value, Words) for value in values):
        return read
    return fill(shape, await embedded_values(values, embeddings))


async def embedded_values(values: Sequence[Value], embeddings: Embeddings) -> Sequence[Value]:
    """As `embedded`, of the values of a read's slots."""
    texts = list(dict.fromkeys(value.text for value in values if isinstance(value, Words)))
    if not texts:
        return values
    found = zip(texts, await embeddings.embed(texts), strict=True)
    vectors = {text: tuple(vector) for text, vector in found}
    return [vectors[value.text] if isinstance(value, Words) else value for value in values]
