"""The advisory lock that lets one runner at a time into a database.

The session holds it, so migrations connect to the server itself and not through a transaction pooler.
"""

LOCK_KEY = 0x6178696F6E  # "axion"
