"""Gen's database, as the opened stores name it."""

from typing import Final

STORE: Final = "axion_gen"
