"""Metadata of tables, columns, choices, keys and relationships: read and created like any other resource."""
