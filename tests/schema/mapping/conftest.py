from tests.resolvers.conftest import _world, written_store, written_url

__all__ = ["_world", "written_store", "written_url"]
