"""Rows in one SQLite file, their indexes, and transactions over them; memory does not grow with the rows."""
