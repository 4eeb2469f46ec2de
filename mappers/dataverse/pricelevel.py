"""The pricelevel table: price lists. Only looked up, never written."""

from shared.core.mapping.columns import table, text

name = text("name", "Name", 100)

TABLE = table("pricelevel", "pricelevels", "pricelevelid", name)
