"""The query language of the Web API: addresses, filters, query options, answers."""
