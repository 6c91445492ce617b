"""Hostile documents up to 100 kB: how much CPU the gateway's process spends on each until it has answered.

Other guests of a virtual machine's host slow its cores down by two thirds for seconds at a time (seen with a loop of
additions on an idle machine), and CPU time counts that. So each document is sent once a round, and its least counts.
"""

import asyncio
from collections.abc import Callable, Mapping
from itertools import permutations

import orjson
from graphql import get_introspection_query

from gateway.limits.tokens import measure_tokens
from gateway.settings import Limits
from tests.benchmarks.figure import Figure, Goal
from tests.benchmarks.load import post
from tests.benchmarks.server import Server
from tests.benchmarks.world import World

_SIZE = 99_990
_WHOLE = get_introspection_query()
_TIMES = 15


def _fill(unit: str, *, head: str = "", tail: str = "") -> str:
    """As often as it fits into 100 kB."""
    return head + unit * ((_SIZE - len(head) - len(tail)) // len(unit)) + tail


def _numbered(pattern: str, count: int) -> str:
    return " ".join(pattern.format(n=n, next=n + 1) for n in range(count))


def _within(pattern: str, head: str, tail: str, *, at_most: int | None = None) -> str:
    """The pattern as often as the shipped limit of tokens allows between head and tail."""
    each = measure_tokens(pattern.format(n=0), stop_after=_SIZE).count
    left = Limits().max_tokens - 5 - measure_tokens(head + tail, stop_after=_SIZE).count
    times = min(left // each, at_most or _SIZE)
    return head + "".join(pattern.format(n=n) for n in range(times)) + tail


DOCUMENTS: Mapping[str, str] = {
    "one field 20,000 times": _fill(" __typename", head="{", tail="}"),
    "one alias after the other": "{" + _numbered("a{n}: __typename", 5_000) + "}",
    "3,900 tokens of aliases": "{" + _numbered("a{n}: __typename", 1_290) + "}",
    "nested to the end": _fill("{a", tail=""),
    "nested and closed": "{ sense " + "{ a " * 1_900 + "b" + "}" * 1_900 + "}",
    "edges within edges": "{ sense { organizations "
    + "{ nodes { trackLogs { nodes { organization { trackLogs " * 60
    + "{ totalCount }"
    + "} } } } }" * 60
    + "} }",
    "fragments that double": "{ ...f0 } "
    + _numbered("fragment f{n} on Query {{ ...f{next} ...f{next} }}", 250)
    + " fragment f250 on Query { __typename }",
    "fragments in a circle": "{ ...f0 } "
    + _numbered("fragment f{n} on Query {{ ...f{next} }}", 300)
    + " fragment f300 on Query { ...f0 }",
    "2,000 fragments, none used": "{ __typename } " + _numbered("fragment f{n} on Query {{ __typename }}", 2_000),
    "operations times fragments": _numbered("query q{n} {{ ...f }}", 600) + " fragment f on Query { __typename }",
    "overlapping fields": "{" + " sense { organizations { nodes { name } } }" * 300 + "}",
    "overlapping in fragments": "{ sense {"
    + _numbered("...f{n}", 180)
    + "} } "
    + _numbered("fragment f{n} on SenseQuery {{ organizations {{ totalCount }} }}", 180),
    "introspection in circles": "{ __schema { types "
    + "{ fields { type { ofType " * 30
    + "{ name }"
    + " } } }" * 30
    + " } }",
    "the whole schema": _WHOLE,
    "the whole schema beside a variable": _WHOLE.replace(
        "IntrospectionQuery {", "q($v: Boolean!) { __typename @skip(if: $v)"
    ),
    "directives": "{ __typename" + " @skip(if: false)" * 3_000 + " }",
    "unknown directives": "{ __typename" + _fill(" @a", tail=" }")[:-20_000] + " }",
    "variables": "query q(" + _numbered("$v{n}: Int", 900) + ") { __typename }",
    "a list of lists": "{ sense { organizations(where: {or: " + "[" * 1_500 + "]" * 1_500 + "}) { totalCount } } }",
    "filters within filters": "{ sense { organizations(where: "
    + "{not: " * 600
    + "{}"
    + "}" * 600
    + ") { totalCount } } }",
    "a string of 99 kB": '{ node(id: "' + "x" * 99_000 + '") { id } }',
    "a number of 99,000 digits": "{ sense { organizations(first: " + "9" * 99_000 + ") { totalCount } } }",
    "one comment": "#" + "x" * 99_000 + "\n{ __typename }",
    "unknown fields, with suggestions": "{" + _numbered("organisation{n}", 1_900) + "}",
    "wrong values": "{ sense { organizations(where: {name: {in: [" + "1 " * 3_800 + "]}}) { totalCount } } }",
    # What the limits let pass, as large as they allow, and wrong in the end: all of it is validated, nothing executed.
    "fields within the limits": _within(
        "a{n}: organizations {{ nodes {{ rowId name code }} }} ", "{ sense { ", "wrong } }", at_most=99
    ),
    "unknown fields within the limits": _within("organisation{n} ", "{ sense { ", "} }"),
    "values within the limits": _within(
        '"a{n}" ', "{ sense { organizations(where: {name: {in: [", "]}}) { wrong } } }"
    ),
    "wrong values within the limits": _within(
        "{n} ", "{ sense { organizations(where: {name: {in: [", "]}}) { nodes } } }"
    ),
    "fragments within the limits": _within(
        "fragment f{n} on SenseQuery {{ organizations {{ totalCount }} }} ", "{ sense { ...f0 ...f1 wrong } } ", ""
    ),
    "overlaps within the limits": "{ sense { organizations { nodes { " + "rowId " * 60 + "} wrong } } }",
    "inline fragments within the limits": "{ sense { " + "... on SenseQuery { " * 80 + "wrong" + " }" * 80 + " } }",
    "a string of 99 kB where a number belongs": '{ sense { organizations(first: "'
    + "x" * 99_000
    + '") { totalCount } } }',
    "a string of escapes": '{ node(id: "' + "\\u00e9" * 16_000 + '") { id } }',
    "a block string of many lines": '{ node(id: """' + " x\n" * 33_000 + '""") { id } }',
    "a name of 99 kB": "{ sense { " + "x" * 99_000 + " } }",
    "a default value of 99 kB": 'query q($v: ID! = "' + "x" * 98_000 + '") { node(id: $v) { wrong } }',
    "commas and line ends": _fill(",\n", head="{ __typename ", tail="}"),
    "not GraphQL": _fill("\\"),
    "numbers side by side": "{ sense { frames(where: {speed: {in: ["
    + ("1-" * 4_999 + "1,") * 9
    + "]}}) { nodes { rowId } } } }",
    "block strings that never end": '\\"""\n' * 374 + " " * 98_000,
    "escapes in a string that never ends": _fill('\\"', head='{ node(id: "'),
    "block string that never ends": '{ node(id: """' + 'a\\"""' * 19_000,
}


def _types(*, anew: int) -> str:
    """Ten types, as much of each as fields within introspection allow."""
    names = ("Query", "Mutation", "SenseQuery", "GenQuery", "SenseTrack", "GenTable", "Job", "User", "AuraChunk", "Int")
    asked = _shuffled("name kind description", anew)
    below = "type { " + asked + " ofType { name ofType { name } } }"
    fields = f"fields(includeDeprecated: true) {{ {_shuffled('name description isDeprecated', anew)} {below} }}"
    each = f"{{ {asked} {fields} inputFields {{ name {below} }} enumValues {{ name }} }}"
    return "{" + " ".join(f'a{n}: __type(name: "{name}") {each}' for n, name in enumerate(names)) + "}"


def _every_list(*, anew: int) -> str:
    asked = _shuffled("name description isDeprecated deprecationReason", anew)
    below = "{ name kind description ofType { name kind description ofType { name kind description } } }"
    values = f"{{ {asked} defaultValue type {below} }}"
    fields = f"{{ {asked} args(includeDeprecated: true) {values} type {below} }}"
    lists = f"fields(includeDeprecated: true) {fields} inputFields(includeDeprecated: true) {values}"
    return (
        f"{{ __schema {{ types {{ name kind description {lists} enumValues(includeDeprecated: true) {{ {asked} }} "
        f"possibleTypes {below} interfaces {below} }} directives {{ name description args {values} }} }} }}"
    )


def _nested_types(*, anew: int) -> str:
    asked = _shuffled("name kind description specifiedByURL", anew)
    below = f"{{ {asked}" + f" ofType {{ {asked}" * 18 + " }" * 19
    fields = f"{{ name type {below} args {{ name type {below} }} }}"
    return f"{{ __schema {{ types {{ {asked} fields {fields} inputFields {{ name type {below} }} }} }} }}"


def _lists(*, anew: int) -> str:
    return (
        "{ sense {" + _numbered(f"a{{n}}x{anew}: organizations(first: 1) {{{{ nodes {{{{ rowId }}}} }}}}", 99) + "} }"
    )


def _different_lists(*, anew: int) -> str:
    each = f"a{{n}}: organizations(first: 1) {{{{ nodes {{{{ b{{n}}x{anew}: rowId }}}} }}}}"
    return "{ sense {" + _numbered(each, 49) + "} }"


def _shuffled(names: str, turn: int) -> str:
    orders = list(permutations(names.split()))
    return " ".join(orders[turn % len(orders)])


EXECUTED: Mapping[str, Callable[[int], str]] = {
    "the whole schema, asked anew": lambda turn: _WHOLE.replace(
        "on __Type {", "on __Type { " + _shuffled("__typename kind name description", turn)
    ),
    "every list of the schema, asked anew": lambda turn: _every_list(anew=turn),
    "18 types within types, asked anew": lambda turn: _nested_types(anew=turn),
    "ten types, asked anew": lambda turn: _types(anew=turn),
    "99 lists, asked anew": lambda turn: _lists(anew=turn),
    "49 different lists, asked anew": lambda turn: _different_lists(anew=turn),
}
"""What is within every limit and executed. Each turn asks for something else, so that no answer is there already."""


async def hostile(world: World) -> list[Figure]:
    async with world.gateway() as gateway:
        await _settle(gateway, "{ __typename }", world.member, 0)
        spent: dict[str, float] = {}
        for turn in range(_TIMES):
            of_turn = {**DOCUMENTS, **{name: made(turn) for name, made in EXECUTED.items()}}
            for name, document in of_turn.items():
                if len(document) > _SIZE:
                    raise AssertionError(f"{name} has {len(document)} characters")
                took = await _settle(gateway, document, world.member, turn)
                spent[name] = min(took, spent.get(name, took))
    goal = Goal("at most", 25, " ms")
    worst = sorted(spent, key=lambda name: spent[name], reverse=True)
    shown = [Figure(f"hostile: {name}", spent[name], "ms of CPU", goal=goal) for name in worst[:5]]
    return [Figure(f"the worst of {len(spent)} hostile documents", spent[worst[0]], "ms of CPU", goal=goal), *shown]


async def _settle(gateway: Server, document: str, token: str, turn: int) -> float:
    """CPU milliseconds of one request. A comment makes it a document the gateway has not seen."""
    request = post(f"{document}\n#{turn}", token=token)
    head, _, body = request.partition(b"\r\n\r\n")
    before = gateway.cpu_seconds()
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    try:
        writer.write(head.replace(b"HTTP/1.1\r\n", b"HTTP/1.1\r\nconnection: close\r\n") + b"\r\n\r\n" + body)
        answer = await reader.read()
    finally:
        writer.close()
    spent = (gateway.cpu_seconds() - before) * 1000
    if not answer.startswith(b"HTTP/1.1 ") or answer[9:12] not in (b"200", b"400"):
        raise AssertionError(f"answered with {answer[:200]!r}")
    orjson.loads(answer.partition(b"\r\n\r\n")[2])
    return spent
