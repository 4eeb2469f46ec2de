"""The HTTP side: health, the ATOM subset the administration client speaks, faults and counts."""
