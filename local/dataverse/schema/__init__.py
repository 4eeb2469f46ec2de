"""What the tables look like: columns, choices, lookups, keys and relationships."""
