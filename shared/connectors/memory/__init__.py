"""In-memory twins of the far sides, held to the same contract suites as the real connectors.

They are product code: for tests, for the simulation under a seeded scheduler, and for whoever writes a map
and wants to see what it does without a cloud.
"""
