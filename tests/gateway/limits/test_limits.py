"""Each limit, at its maximum and one beyond it, also through fragments."""

import pytest
from graphql import GraphQLError, get_introspection_query, parse

from gateway.limits.check import check_document, check_text
from gateway.limits.refusal import DocumentTooComplex
from gateway.limits.tokens import measure_tokens
from gateway.settings import Limits

SMALL = Limits(
    max_document_chars=1_000,
    max_tokens=100,
    max_string_chars=50,
    max_depth=3,
    max_aliases=2,
    max_fields=6,
    max_root_fields=4,
    max_directives=2,
    max_variables=2,
    max_overlaps=3,
)

WITHIN = [
    "{a}",
    "{a{b{c}}}",
    "{...f} fragment f on T {a{b{c}}}",
    "{a{...f}} fragment f on T {b{c}}",
    "{x: a y: b}",
    "{... on T {... on T {... on T {a{b{c}}}}}}",
    "{a @x @x}",
    "query ($a: I $b: I) {a}",
    "{a b c d}",
    "{a a a}",
    "{__schema {types {fields {args {type {name}}}}}}",
    "query a {a b} query b {a b}",
    "{a(x: {y: {z: {u: {v: 1}}}})}",
]

BEYOND = [
    ("{a{b{c{d}}}}", "depth", 4, 3),
    ("{a{...f}} fragment f on T {b{...g}} fragment g on T {c{d}}", "depth", 4, 3),
    ("{a{... on T {b{... {c{d}}}}}}", "depth", 4, 3),
    ("{a} fragment unused on T {a{b{c{d}}}}", "depth", 4, 3),
    ("query a {a} query b {a{b{c{d}}}}", "depth", 4, 3),
    ("{x: a y: b z: c}", "aliases", 3, 2),
    ("{p{...f} q{...f}} fragment f on T {x: a y: b}", "aliases", 4, 2),
    ("{a{b c d} e{f g h}}", "fields", 8, 6),
    ("{a{...f} b{...f} c{...f}} fragment f on T {x y z}", "fields", 12, 6),
    ("{a b c d e}", "root fields", 5, 4),
    ("{...f ...g} fragment f on T {a b c} fragment g on T {d e}", "root fields", 5, 4),
    ("{a @x @x @x}", "directives", 3, 2),
    ("{...f @x ... @x {b} } fragment f on T {a @x}", "directives", 3, 2),
    ("query ($a: I $b: I $c: I) {a}", "variables", 3, 2),
    ("{a a a a}", "overlapping fields", 6, 3),
    ("{p{a a} p{a a}}", "overlapping fields", 7, 3),
    ("{...f ...g ...h} fragment f on T {a} fragment g on T {a} fragment h on T {b}", "overlapping fields", 4, 3),
    ("{a: __schema {types {name}} b: __schema {types {name}}}", "introspections of the whole schema", 2, 1),
    ("{__schema {types {x: fields {name}}}}", "aliases within introspection", 1, 0),
    (
        "{__schema {types {fields {type {fields {name}}}}}}",
        "lists of fields within one another in introspection",
        2,
        1,
    ),
    (
        '{__type(name: "A") {...f}} fragment f on __Type {interfaces {possibleTypes {name}}}',
        "lists of fields within one another in introspection",
        2,
        1,
    ),
]


@pytest.mark.parametrize("text", WITHIN)
def test_within(text: str) -> None:
    check_document(parse(text), SMALL)


@pytest.mark.parametrize(("text", "limit", "found", "maximum"), BEYOND)
def test_beyond(text: str, limit: str, found: int, maximum: int) -> None:
    with pytest.raises(DocumentTooComplex) as caught:
        check_document(parse(text), SMALL)
    assert (caught.value.limit, caught.value.found, caught.value.maximum) == (limit, found, maximum)
    assert str(found) in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "{...f} fragment f on T {...f}",
        "{...f} fragment f on T {a{...g}} fragment g on T {b{...f}}",
        "{a} fragment f on T {__schema{types{...f}}}",
    ],
)
def test_fragment_within_itself(text: str) -> None:
    with pytest.raises(GraphQLError, match="Cannot spread fragment 'f' within itself"):
        check_document(parse(text), SMALL)


def test_fragments_that_multiply() -> None:
    """2^40 fields, counted in linear time and told as a number a client can read."""
    bomb = "".join(f"fragment f{n} on T {{a{{...f{n + 1}}} b{{...f{n + 1}}}}}" for n in range(40))
    with pytest.raises(DocumentTooComplex) as caught:
        check_document(parse(f"{{...f0}} {bomb} fragment f40 on T {{a}}"), Limits(max_depth=100))
    assert (caught.value.limit, caught.value.found) == ("fields", 1_000_000)
    assert "1000000 or more" in str(caught.value)


@pytest.mark.parametrize("descriptions", [True, False])
def test_introspection_query_passes_the_defaults(descriptions: bool) -> None:
    text = get_introspection_query(
        descriptions=descriptions,
        specified_by_url=True,
        directive_is_repeatable=True,
        schema_description=True,
        input_value_deprecation=True,
    )
    limits = Limits()
    check_text(text, limits)
    check_document(parse(text), limits)


def _introspecting(names: int) -> str:
    """So many fields, one, and seven times 34."""
    types = " ".join(f't{n}: __type(name: "T") {{...f}}' for n in range(7))
    schema = "__schema {types {" + " ".join(f"n{n}" for n in range(names)) + "}}"
    return f"{{{schema} {types}}} fragment f on __Type {{" + " ".join(f"m{n}" for n in range(34)) + "}"


def test_fields_within_introspection_count_through_fragments() -> None:
    check_document(parse(_introspecting(61)), Limits())
    with pytest.raises(DocumentTooComplex) as caught:
        check_document(parse(_introspecting(62)), Limits())
    assert (caught.value.limit, caught.value.found) == ("fields within introspection", 301)


TOKENS = [
    ("", 0),
    ("{a}", 3),
    ("{ a, b ,c }", 5),
    ("\ufeff{a}", 3),
    ('{a(x: "b c } {")}', 8),
    ('{a(x: "\\"")}', 8),
    ('{a(x: """b "" \\""" c""")}', 8),
    ("{a ...on T {b}}", 9),
    ("{a(x: -1.5e10)}", 8),
    ("query($a:[Int!]=[1]@x){a}", 19),
    ("{a # comment\n}", 4),
]


@pytest.mark.parametrize(("text", "count"), TOKENS)
def test_tokens(text: str, count: int) -> None:
    assert measure_tokens(text, stop_after=1_000).count == count


@pytest.mark.parametrize("text", [text for text, _ in TOKENS[1:-1]])
def test_tokens_are_the_parsers(text: str) -> None:
    count = measure_tokens(text, stop_after=1_000).count
    parse(text, max_tokens=count)
    with pytest.raises(GraphQLError, match="tokens"):
        parse(text, max_tokens=count - 1)


def test_counting_stops() -> None:
    assert measure_tokens("a " * 1_000_000, stop_after=10).count == 11


@pytest.mark.parametrize(
    ("text", "limit"), [("{" + " " * 1_000 + "a}", "characters"), ("{" + "a " * 100 + "}", "tokens")]
)
def test_texts(text: str, limit: str) -> None:
    with pytest.raises(DocumentTooComplex) as caught:
        check_text(text, SMALL)
    assert caught.value.limit == limit


@pytest.mark.parametrize(
    ("text", "limit", "found", "maximum"),
    [
        ('{a(x: "' + "x" * 49 + '")}', "characters in one token", 51, 50),
        ('{a(x: """' + "x" * 45 + '""")}', "characters in one token", 51, 50),
        ("{a(x: " + "1" * 51 + ")}", "characters in one token", 51, 50),
        ("{" + "a" * 51 + "}", "characters in one token", 51, 50),
        ("#" + "x" * 50 + "\n{a}", "characters in one token", 51, 50),
        ("{a(x: [" + f'"{"x" * 38}"' * 5 + '], y: "")}', "characters in strings and comments", 202, 200),
        ("{a}" + ("#" + "x" * 39 + "\n") * 5 + "#", "characters in strings and comments", 201, 200),
    ],
)
def test_long_tokens(text: str, limit: str, found: int, maximum: int) -> None:
    with pytest.raises(DocumentTooComplex, match="longer values belong in variables") as caught:
        check_text(text, SMALL)
    assert (caught.value.limit, caught.value.found, caught.value.maximum) == (limit, found, maximum)


@pytest.mark.parametrize(
    "text",
    [
        '{a(x: "' + "x" * 48 + '")}',
        "{" + "a" * 50 + "}",
        "{a(x: [" + f'"{"x" * 38}"' * 5 + "])}",
        "{a" + " " * 500 + "}",
    ],
)
def test_tokens_as_long_as_allowed(text: str) -> None:
    check_text(text, SMALL)
