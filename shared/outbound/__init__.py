"""A Dataverse row's change becomes a legacy record's."""
