"""Runs with a beginning and an end; before them, the audit of what is to be moved."""
