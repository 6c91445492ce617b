"""`python -m tests.benchmarks.peers.unguarded`: the gateway as it is served, with every row of every table public.

The same schema, the same tokens checked, the same statements but for the guards' predicates and their questions to
OpenFGA: what is left between the two is the price of the guards. It exists for the benchmark only.
"""

from dataclasses import replace

from gateway.cli.serve import serve
from resolvers.permissions.guards import Public
from schema import declarations  # noqa: F401 - importing it declares every table-backed type
from schema.mapping.object import OBJECTS

if __name__ == "__main__":
    for name, mapping in list(OBJECTS.items()):
        OBJECTS[name] = replace(mapping, guard=Public("the benchmark's unguarded twin"))
    serve()
