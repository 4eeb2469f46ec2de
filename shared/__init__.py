"""The service itself: a pure core, the capabilities around it, and the connectors at the edge."""
