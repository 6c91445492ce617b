"""Starting a process that lasts: what it loads is kept to its end, so the garbage collector need not look at it."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def loading() -> Iterator[None]:
    """Imports and the schema's build make half a million objects and next to no garbage.

    Without collections in between they take a quarter less time, and what is loaded is left out of later ones.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.freeze()
