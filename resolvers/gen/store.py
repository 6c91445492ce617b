"""The name of Gen's database among the opened stores."""

from typing import Final

STORE: Final = "axion_gen"
