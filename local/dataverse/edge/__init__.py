"""Where requests come in: identity, limits, faults, the request log, the administration routes."""
