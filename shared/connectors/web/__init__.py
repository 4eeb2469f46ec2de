"""What every HTTP connector shares: one pool, one pause after a 429, one renewal after a 401."""
