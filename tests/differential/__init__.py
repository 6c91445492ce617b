"""Random documents, answered by the gateway and by a naive interpreter of rows in memory: they must agree."""
