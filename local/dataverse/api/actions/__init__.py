"""Actions: what a plain write cannot do."""
