"""The ticket desk over HTTP, where people who can help are told (E-14)."""
