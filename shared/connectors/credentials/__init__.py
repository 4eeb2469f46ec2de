"""Who Tandem is: one Azure credential for every client (X-01), and secrets kept and renewed (E-10)."""
