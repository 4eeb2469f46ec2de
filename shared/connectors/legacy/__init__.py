"""Legacy systems over their declared ways in: the generic clients that interpret a `LegacySystem`."""
