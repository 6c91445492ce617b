from tests.resolvers.gen.conftest import as_, gen_url, store, stores

__all__ = ["as_", "gen_url", "store", "stores"]
