"""A legacy CRM on this machine: records, a change feed and export drops, driven by a system's declaration."""

from local.crm.rest import start

__all__ = ["start"]
