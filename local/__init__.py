"""Everything the app talks to, on this machine, without Docker or a cloud. Never deployed."""
