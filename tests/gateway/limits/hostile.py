"""Documents of at most 100 kB that are built to be as expensive as possible, each in its own way."""

from collections.abc import Mapping

MANY = 100_000


def fill(part: str, *, before: str = "{", after: str = "}", to: int = MANY) -> str:
    return before + part * ((to - len(before) - len(after)) // len(part)) + after


def numbered(part: str, *, before: str = "{", after: str = "}", count: int) -> str:
    return before + "".join(part.replace("#", str(n)) for n in range(count)) + after


def below(tokens: int) -> Mapping[str, str]:
    """The same, kept just within the limit of tokens, so that it is the other limits and validation that are tried."""
    return {
        "one field often": "{" + " hello" * (tokens - 2) + "}",
        "aliases": numbered(" a#: hello", count=tokens // 3 - 2),
        "unknown fields": numbered(" a#", count=tokens - 10),
        "nearly known fields": numbered(" helo#", count=tokens - 10),
        "unknown types": numbered(" ... on Querx# {hello}", count=tokens // 6 - 2),
        "unknown arguments": numbered(" nam#: 1", before="{hello(", after=")}", count=tokens // 3 - 5),
        "repeated argument": "{hello(" + " name: 1" * (tokens // 3 - 5) + ")}",
        "overlapping objects": "{" + " item {name}" * (tokens // 4 - 2) + "}",
        "overlaps in depth": "{" + " item {item {item {name}}}" * (tokens // 9 - 2) + "}",
        "fragments in one place": "{"
        + "".join(f"...f{n} " for n in range(tokens // 10))
        + "}"
        + "".join(f"fragment f{n} on Query {{a{n}: hello}}" for n in range(tokens // 10 - 2)),
        "chain of fragments": "{...f0}"
        + "".join(f"fragment f{n} on Query {{...f{n + 1}}}" for n in range(tokens // 9 - 2)),
        "operations over fragments": "".join(f"query q{n} {{...f0}}" for n in range(tokens // 16))
        + "".join(f"fragment f{n} on Query {{hello ...f{n + 1}}}" for n in range(tokens // 20)),
        "unused fragments": "{hello}" + "".join(f"fragment f{n} on Query {{hello}}" for n in range(tokens // 7 - 2)),
        "unused variables": numbered(" $a#: Int", before="query (", after=") {hello}", count=tokens // 4 - 5),
        "used variables": "query ("
        + "".join(f"$a{n}: String " for n in range(tokens // 9))
        + ") {"
        + "".join(f"h{n}: hello(name: $a{n}) " for n in range(tokens // 9))
        + "}",
        "directives": "{hello" + " @skip(if: true)" * (tokens // 6 - 2) + "}",
        "unknown directives": numbered(" @x#", before="{hello", count=tokens // 2 - 5),
        "list argument": "{hello(name: [" + "1 " * (tokens - 12) + "])}",
        "object argument": numbered(" a#: 1", before="{hello(name: {", after="})}", count=tokens // 3 - 5),
        "nested lists": "{hello(name: " + "[" * (tokens // 2 - 6) + "]" * (tokens // 2 - 6) + ")}",
        "nested fields": "{item" * (tokens // 3) + "}" * (tokens // 3),
        "nested inline fragments": "{" + "...{" * (tokens // 4) + "hello" + "}" * (tokens // 4) + "}",
        "introspection in width": "{" + " __schema {types {name}}" * (tokens // 7) + "}",
        "introspection in depth": "{__schema {types "
        + "{fields {type " * (tokens // 8)
        + "{name}"
        + "}}" * (tokens // 8)
        + "}}",
        "operations of one name": "query a {hello}" * (tokens // 5 - 1),
        "type system": "type A {a: Int}" * (tokens // 7 - 1),
    }


TEXTS: Mapping[str, str] = {
    "tokens": fill(" a"),
    "braces": "{" * MANY,
    "spaces": fill(" ", after="hello}"),
    "commas": fill(",", after="hello}"),
    "line breaks": fill("\n", after="hello}"),
    "comments": fill("#\n", after="hello}"),
    "one comment": fill("#", after="\nhello}"),
    "one name": fill("a"),
    "one string": fill("x", before='{hello(name: "', after='")}'),
    "escapes": fill("\\u0041", before='{hello(name: "', after='")}'),
    "block string": fill("\n x", before='{hello(name: """', after='""")}'),
    "unterminated string": fill("x", before='{hello(name: "', after=""),
    "unterminated block strings": fill('"""\\', before="{hello(name: ", after=""),
    "unclosed block strings": '\\"""\n' * 374 + " " * (MANY - 374 * 5),
    "unclosed escapes": fill('\\"', before='{hello(name: "', after=""),
    "quotes": fill('"', before="{hello(name: ", after=""),
    "number": fill("1", before="{hello(name: ", after=")}"),
    "numbers side by side": fill("-1", before="{hello(name: [1", after="])}"),
    "minus signs": fill("-", before="{hello(name: ", after=")}"),
    "dots": fill(".", before="{", after="}"),
    "byte order marks": fill("\ufeff", after="hello}"),
    "ten strings of escapes": numbered(
        ' a#: hello(name: "' + "\\u0041" * 1_600 + '")', before="{", after="}", count=10
    ),
    "long unknown names": "{" + " ".join("a" * 990 + str(n) for n in range(100)) + "}",
    "long near names": "{" + " ".join("hello" * 198 + str(n) for n in range(100)) + "}",
}


def of_sense(tokens: int) -> Mapping[str, str]:
    """For the real schema: within every limit of text and wrong in the end, so that all of it is validated."""
    documents = {
        "unknown fields": numbered(" organisation#", before="{ sense {", after="} }", count=tokens - 14),
        "fragments": "{ sense { ...f0 wrong } }"
        + "".join(
            f" fragment f{n} on SenseQuery {{ organizations {{ totalCount }} }}" for n in range(tokens // 10 - 2)
        ),
        "values": numbered(
            ' "a#"',
            before="{ sense { organizations(where: {name: {in: [",
            after="]}}) { wrong } } }",
            count=tokens - 34,
        ),
        "numbers side by side": "{ sense { organizations(where: {rowId: {in: [1"
        + "-1" * (tokens - 40)
        + "]}}) { wrong } } }",
        "objects": "{ sense {"
        + "".join(f" a{n}: organizations {{ nodes {{ rowId name code }} }}" for n in range(99))
        + " wrong } }",
        "strings of escapes": "{ sense { organizations(where: {name: {in: ["
        + (' "' + "\\u00e9" * 1_600 + '"') * 4
        + " 1" * (tokens - 40)
        + "]}}) { wrong } } }",
    }
    with_variables = {f"{name}, with a variable": f"query ($v: Int) {text}" for name, text in documents.items()}
    return {**documents, **with_variables}
