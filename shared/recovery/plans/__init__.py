"""Replay plans: many messages sent again; foreseen, tried on a few, stopped by rule, proven at the end."""
