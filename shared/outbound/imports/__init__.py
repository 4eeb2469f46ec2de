"""Imports: pending writes become workbooks, and acknowledgements become what both sides agree on (C-02)."""
