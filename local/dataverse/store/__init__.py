"""Rows in memory, written through to one SQLite file in the transaction that changes them."""
