"""Whose value a row holds when several records are one customer: per table, column by column (C-32)."""

from collections.abc import Mapping

from shared.core.survivorship import Survival, Survivorship

ORDER = ("allegory", "legrand")
"""The systems by rank: of two values that are as good the first one's stands."""

SURVIVORSHIP: Mapping[str, Survivorship] = {
    "account": Survivorship(
        ORDER,
        {
            # The registered name is kept by the system that invoices; a shop's nickname must not replace it.
            "name": Survival.PRIORITY,
            "websiteurl": Survival.FILLED,
            "telephone1": Survival.FILLED,
            "address1_line1": Survival.FILLED,
            "address1_city": Survival.FILLED,
            "address1_stateorprovince": Survival.FILLED,
            "address1_postalcode": Survival.FILLED,
            "address1_country": Survival.FILLED,
            "tandem_industry": Survival.FILLED,
            "tandem_tags": Survival.LONGEST,
            "ownerid": Survival.PRIORITY,
        },
    ),
    "contact": Survivorship(
        ORDER,
        {
            "firstname": Survival.LONGEST,
            "lastname": Survival.LONGEST,
            "emailaddress1": Survival.FILLED,
            "telephone1": Survival.FILLED,
            "mobilephone": Survival.FILLED,
            "jobtitle": Survival.FILLED,
            "parentcustomerid": Survival.PRIORITY,
            "tandem_tags": Survival.LONGEST,
            "ownerid": Survival.PRIORITY,
        },
    ),
    "lead": Survivorship(ORDER, {"statuscode": Survival.PRIORITY, "ownerid": Survival.PRIORITY}),
}
"""A table or column not named goes to the newest value."""
