"""Exports as legacy systems hand them over: CSV, JSON, workbooks, a text per record."""
