"""A part's own small SQLite file."""

import sqlite3
from pathlib import Path


def open_database(path: Path | None, schema: str) -> sqlite3.Connection:
    """Open the file (or memory when None) and bring it to `schema`, a script of CREATE ... IF NOT EXISTS.

    Every statement is its own transaction unless the caller says BEGIN. The connection may be made on one
    thread and used on another, because a server's application runs on the server's thread; it is never used
    on two at once.
    """
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
    database = sqlite3.connect(path or ":memory:", isolation_level=None, check_same_thread=False)
    database.row_factory = sqlite3.Row
    database.executescript(f"PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; {schema}")
    return database
