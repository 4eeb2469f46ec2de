"""What the service does to a row: reading bodies, validation, defaults, computed columns, states, deletes."""
