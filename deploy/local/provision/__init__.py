"""Builds what the embedded stack needs, once per machine: artifacts in the cache folder."""
