"""The operations of the Web API: each module answers one family of addresses."""
