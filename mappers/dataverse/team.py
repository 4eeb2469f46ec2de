"""The team table: groups that may own rows. Only looked up, never written."""

from shared.core.mapping.columns import table, text

name = text("name", "Team Name", 160)

TABLE = table("team", "teams", "teamid", name)
