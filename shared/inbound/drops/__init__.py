"""Export drops: a system that only writes files is kept in step by what differs between two (C-02)."""
