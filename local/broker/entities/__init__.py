"""Queues, sessions, locks and deadlines. No I/O and no clock of their own: time is passed in."""
