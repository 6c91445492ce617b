"""The naive interpreter: graphql-core over dictionaries. Slow, plain, and sharing nothing with what it judges."""
