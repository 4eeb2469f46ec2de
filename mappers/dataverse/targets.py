"""What lookups point at: tables with their entity sets, by the navigation property that writes them."""

from shared.core.mapping.columns import Target


def account(navigation: str) -> Target:
    """Accounts, through a navigation property."""
    return Target("account", "accounts", navigation)


def contact(navigation: str) -> Target:
    """Contacts, through a navigation property."""
    return Target("contact", "contacts", navigation)


def lead(navigation: str) -> Target:
    """Leads, through a navigation property."""
    return Target("lead", "leads", navigation)


def opportunity(navigation: str) -> Target:
    """Opportunities, through a navigation property."""
    return Target("opportunity", "opportunities", navigation)


def quote(navigation: str) -> Target:
    """Quotes, through a navigation property."""
    return Target("quote", "quotes", navigation)


def currency() -> Target:
    """Currencies."""
    return Target("transactioncurrency", "transactioncurrencies", "transactioncurrencyid")


def pipeline(navigation: str) -> Target:
    """Pipelines, through a navigation property."""
    return Target("tandem_pipeline", "tandem_pipelines", navigation)


def price_list() -> Target:
    """Price lists."""
    return Target("pricelevel", "pricelevels", "pricelevelid")


OWNERS = (Target("systemuser", "systemusers", "ownerid"), Target("team", "teams", "ownerid"))
"""Whoever may own a row."""
