"""The stack's supervisor: starts, watches and stops the parts, and says where each of them answers."""
