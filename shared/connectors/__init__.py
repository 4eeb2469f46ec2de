"""The only code that talks to the world: one folder per far side, each behind a port of the core."""
