"""The operators' face: the `tandem` command line, talking to the HTTP API."""
