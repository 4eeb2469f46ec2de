"""Replay plans on SQL: what was chosen, how far it is, and what became of every message."""

from shared.connectors.sqlstore.plans.items import SqlPlanItems
from shared.connectors.sqlstore.plans.keeping import SqlPlans
from shared.connectors.sqlstore.plans.reporting import SqlPlanReports

__all__ = ["SqlPlanItems", "SqlPlanReports", "SqlPlans"]
