"""By what two rows are taken for one customer: exact keys, normalised, and how sure they make us (C-32).

Neither legacy system has a tax id. A rule over one is a line here once a column holds it.
"""

from shared.core.matching import MatchRule, digits, host, mailbox, own_mailbox, words

RULES = (
    MatchRule(
        "website_and_name",
        "account",
        (("websiteurl", host), ("name", words)),
        97,
        "the same website and the same name",
        certain=True,
    ),
    MatchRule(
        "name_and_postcode",
        "account",
        (("name", words), ("address1_postalcode", words)),
        85,
        "the same name and the same postcode",
    ),
    MatchRule("website", "account", (("websiteurl", host),), 70, "the same website"),
    MatchRule(
        "phone_and_city",
        "account",
        (("telephone1", digits), ("address1_city", words)),
        60,
        "the same telephone number and the same city",
    ),
    MatchRule(
        "mailbox_and_name",
        "contact",
        (("emailaddress1", mailbox), ("firstname", words), ("lastname", words)),
        97,
        "the same e-mail address and the same name",
        certain=True,
    ),
    MatchRule(
        "mobile_and_name",
        "contact",
        (("mobilephone", digits), ("lastname", words)),
        85,
        "the same mobile number and the same last name",
    ),
    MatchRule("mailbox", "contact", (("emailaddress1", own_mailbox),), 65, "the same e-mail address"),
    MatchRule(
        "mailbox_and_name",
        "lead",
        (("emailaddress1", mailbox), ("lastname", words)),
        80,
        "the same e-mail address and the same last name",
    ),
)
"""A shared mailbox (`info@`) matches nobody by itself; with a name it does."""
