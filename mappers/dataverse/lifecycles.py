"""How the rows of each table live: its status reasons, their states, and the way into each state.

Facts of the Sales and Service solutions as they are delivered; an organisation may add status reasons, never
states. A row is locked in a state in which Dataverse answers any other write with 0x80040233.
"""

from shared.core.mapping.lifecycle import Closing, Lifecycle

OPPORTUNITY_STATUS = {1: "In Progress", 2: "On Hold", 3: "Won", 4: "Canceled", 5: "Out-Sold"}
OPPORTUNITY = Lifecycle(
    states={1: 0, 2: 0, 3: 1, 4: 2, 5: 2},
    start=1,
    locked=frozenset({1, 2}),
    closings={
        state: Closing(
            action,
            about="OpportunityClose",
            pointer="opportunityid",
            carries={"actualclosedate": "actualend", "actualvalue": "actualrevenue"},
        )
        for state, action in ((1, "WinOpportunity"), (2, "LoseOpportunity"))
    },
)

LEAD_STATUS = {
    1: "New",
    2: "Contacted",
    3: "Qualified",
    4: "Lost",
    5: "Cannot Contact",
    6: "No Longer Interested",
    7: "Canceled",
}
LEAD = Lifecycle(
    states={1: 0, 2: 0, 3: 1, 4: 2, 5: 2, 6: 2, 7: 2},
    start=1,
    locked=frozenset({1}),
    closings={
        1: Closing(
            "QualifyLead",
            # What a lead became is synced from where it lives; qualifying it must not make a second one.
            arguments={"CreateAccount": False, "CreateContact": False, "CreateOpportunity": False},
        )
    },
)

QUOTE_STATUS = {
    1: "In Progress",
    2: "In Progress",
    3: "Open",
    4: "Won",
    5: "Lost",
    6: "Canceled",
    7: "Revised",
}
QUOTE = Lifecycle(
    states={1: 0, 2: 1, 3: 1, 4: 2, 5: 3, 6: 3, 7: 3},
    start=1,
    locked=frozenset({1, 2, 3}),
    final=frozenset({2, 3}),
    closings={
        2: Closing("WinQuote", about="QuoteClose", pointer="quoteid"),
        3: Closing("CloseQuote", about="QuoteClose", pointer="quoteid"),
    },
    after=3,
)

INCIDENT_STATUS = {
    1: "In Progress",
    2: "On Hold",
    3: "Waiting for Details",
    4: "Researching",
    5: "Problem Solved",
    1000: "Information Provided",
    6: "Canceled",
    2000: "Merged",
}
INCIDENT = Lifecycle(
    states={1: 0, 2: 0, 3: 0, 4: 0, 5: 1, 1000: 1, 6: 2, 2000: 2},
    start=1,
    locked=frozenset({1, 2}),
    closings={1: Closing("CloseIncident", about="IncidentResolution", pointer="incidentid")},
)

TASK_STATUS = {
    2: "Not Started",
    3: "In Progress",
    4: "Waiting on someone else",
    7: "Deferred",
    5: "Completed",
    6: "Canceled",
}
TASK = Lifecycle(states={2: 0, 3: 0, 4: 0, 7: 0, 5: 1, 6: 2}, start=2, locked=frozenset({1, 2}))

PHONECALL_STATUS = {1: "Open", 2: "Made", 4: "Received", 3: "Canceled"}
PHONECALL = Lifecycle(states={1: 0, 2: 1, 4: 1, 3: 2}, start=1, locked=frozenset({1, 2}))

EMAIL_STATUS = {
    1: "Draft",
    8: "Failed",
    2: "Completed",
    3: "Sent",
    4: "Received",
    6: "Pending Send",
    7: "Sending",
    5: "Canceled",
}
EMAIL = Lifecycle(states={1: 0, 8: 0, 2: 1, 3: 1, 4: 1, 6: 1, 7: 1, 5: 2}, start=1, locked=frozenset({1, 2}))

APPOINTMENT_STATUS = {
    1: "Free",
    2: "Tentative",
    3: "Completed",
    4: "Canceled",
    5: "Busy",
    6: "Out of Office",
}
APPOINTMENT = Lifecycle(states={1: 0, 2: 0, 3: 1, 4: 2, 5: 3, 6: 3}, start=1, locked=frozenset({1, 2}))

CAMPAIGN_STATUS = {
    0: "Proposed",
    1: "Ready To Launch",
    2: "Launched",
    3: "Completed",
    4: "Canceled",
    5: "Suspended",
    6: "Inactive",
}
CAMPAIGN = Lifecycle(states={0: 0, 1: 0, 2: 0, 3: 0, 4: 0, 5: 0, 6: 1}, start=0)

ACTIVE = Lifecycle(states={1: 0, 2: 1}, start=1)
"""Accounts and contacts: a row can be put away, and taken out again."""
