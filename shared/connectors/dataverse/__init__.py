"""Dataverse over its Web API: rows, and the reference data Tandem only looks up."""
