from loaders.bounded_cache import BoundedCache


def test_the_least_recently_used_is_given_up_first() -> None:
    cache = BoundedCache[str, int](3)
    for name, value in (("a", 1), ("b", 2), ("c", 3)):
        cache.keep(name, value)
    assert cache.get("a") == 1
    cache.keep("d", 4)
    assert [cache.get(name) for name in "abcd"] == [1, None, 3, 4]


def test_the_bound_is_of_the_weight() -> None:
    cache = BoundedCache[str, int](10)
    cache.keep("a", 1, 6)
    cache.keep("b", 2, 4)
    assert (cache.weight, len(cache)) == (10, 2)
    cache.keep("c", 3, 5)
    assert (cache.get("a"), cache.get("b"), cache.get("c"), cache.weight) == (None, 2, 3, 9)


def test_a_replaced_value_counts_once() -> None:
    cache = BoundedCache[str, int](10)
    cache.keep("a", 1, 6)
    cache.keep("a", 2, 3)
    assert (cache.get("a"), cache.weight, len(cache)) == (2, 3, 1)


def test_what_is_heavier_than_the_bound_is_not_kept() -> None:
    cache = BoundedCache[str, int](10)
    cache.keep("a", 1, 11)
    assert (cache.get("a"), cache.weight, len(cache)) == (None, 0, 0)
