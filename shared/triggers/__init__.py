"""The Azure face: thin blueprints that parse, call the wiring, and answer. Nothing else."""
