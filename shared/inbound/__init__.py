"""A legacy record's change becomes a Dataverse row."""
