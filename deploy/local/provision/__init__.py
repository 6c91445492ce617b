"""What the embedded stack needs built once per machine: artifacts in the cache folder."""
