from tests.resolvers.conftest import _world, written_store, written_urls

__all__ = ["_world", "written_store", "written_urls"]
