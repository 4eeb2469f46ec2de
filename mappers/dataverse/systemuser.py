"""The systemuser table: people who work in Dataverse. Only looked up, never written."""

from shared.core.mapping.columns import boolean, table, text

internalemailaddress = text("internalemailaddress", "Primary Email", 100)
fullname = text("fullname", "Full Name", 200)
isdisabled = boolean("isdisabled", "Status")

TABLE = table("systemuser", "systemusers", "systemuserid", internalemailaddress, fullname, isdisabled)
