"""A Dataverse on this machine: the Web API of Dynamics 365 over one SQLite file, for real clients."""
