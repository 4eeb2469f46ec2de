"""What the local HTTP parts are made of: a loopback server, faults on demand and a small database."""
