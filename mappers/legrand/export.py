"""What Legrand's export of workbooks and text files holds, and what has to be true of it."""

from mappers.dataverse import account, contact, incident, opportunity, quotedetail
from mappers.legrand import words
from mappers.legrand.attachments import KINDS
from shared.core.mapping.transforms import Slashes
from shared.core.reading.codes import FindingCode, Severity
from shared.core.reading.contact_kinds import Email, People, Phone, Postcode
from shared.core.reading.export import (
    Attachments,
    Column,
    Directory,
    Duplicate,
    Each,
    Export,
    Format,
    Inventory,
    KindReference,
    Kinds,
    NameReference,
    Object,
    Owner,
    OwnerBy,
    Participants,
    Reference,
)
from shared.core.reading.kinds import (
    Currency,
    Day,
    Duration,
    Html,
    Instant,
    Key,
    Number,
    Text,
    Url,
    fitting,
    within,
)
from shared.core.reading.moments import Clock
from shared.core.reading.rules import (
    Above,
    Agrees,
    Begins,
    Blank,
    Filled,
    Is,
    Lines,
    Members,
    Never,
    NotBefore,
    Order,
    Past,
    Product,
    Sum,
)
from shared.core.reading.word_kinds import Choice, Tags

_CELLS = Clock(words.ZONE, Slashes.DAY_FIRST, typed=True)
_TEXTS = Clock(words.ZONE, Slashes.DAY_FIRST, slashed=True)
_DAY, _AT, _KEY, _NAME = Day(_CELLS), Instant(_CELLS), Key(), Text(160)
_COUNTED = Key(whole=True)
_YES_NO = Choice(("Yes", "No", "true", "false"))
_MONEY = Number(0, 10**12, 2, typed=True)
_AMOUNT = within(opportunity.estimatedvalue, typed=True, positive=True, currency="Currency")
_WHOLE = Number(0, 10**9, decimals=0, typed=True)
_CREATED = (Column("Created Date", _DAY), Column("Modified Date", _DAY))
# Both are kept as they are; nothing is decided by them.
_IN_TIME = (Order("Created Date", "Modified Date", Severity.INFO), Past(("Created Date", "Modified Date")))
# The row a record is; there once an administrator made the field, and filled by imports.
_ROW_ID = Column(words.ROW_ID, _KEY, optional=True)
_OWNER = (Owner("Owner", OwnerBy.NAME),)
_COMPANY_BY_NAME = NameReference("Company", "company", "Company Name", unless="Company ID")
_CONTACT_BY_NAME = NameReference("Contact", "contact", "Full Name", within=("Company ID", "Company ID"))
_NAMED_ALIKE = Agrees("Company", "Company ID", "company", "Company Name")
_CLOSED, _WON, _LOST = ("Closed-Won", "Closed-Lost"), ("Closed-Won",), ("Closed-Lost",)

STAGES = ("Lead-in", "Qualified", "Quoting", "Negotiate sale", "Closing phase")
"""The stages of both sales processes that the map knows."""
LEAD_SOURCES = ("Web Capture", "Phone In", "Advertisement", "Trade Show", "Referral")
LEAD_STATUSES = ("New", "Contacted", "Qualified", "Unqualified")
QUOTE_STATUSES = ("Draft", "Sent", "Accepted", "Rejected", "Lost", "Superseded")
CAMPAIGN_TYPES = ("Email", "Trade Show", "Event", "Webinar")
BOARDS = ("Support", "Warranty", "Accounts")
TICKET_STATUSES = ("Open", "In progress", "Waiting on customer", "Closed")

USERS = Object(
    "user", "Users.xlsx", Format.WORKBOOK, ("User ID",),
    (
        Column("User ID", _KEY, required=True), Column("Name", Text(200), required=True),
        Column("Email", Email(), required=True), Column("Title", Text(100)), Column("Active", _YES_NO),
    ),
    sheet="Users", people="Email", duplicates=(Duplicate("Email", FindingCode.DUPLICATE_EMAIL, "user"),),
)  # fmt: skip

COMPANIES = Object(
    "company", "Companies.xlsx", Format.WORKBOOK, ("Company ID",),
    (
        Column("Company ID", _KEY, required=True), Column("Company Name", fitting(account.name),
        required=True),
        Column("Company Type", Choice(words.COMPANY_TYPE)),
        Column("Industry", fitting(account.tandem_industry)),
        Column("Phone", Phone()), Column("Fax", Phone()), Column("Email", Email()),
        Column("Website", Url(account.websiteurl.max_length)),
        Column("Street", fitting(account.address1_line1)),
        Column("City", fitting(account.address1_city)),
        Column("State", fitting(account.address1_stateorprovince)),
        Column("Postal Code", Postcode("Country")), Column("Country", fitting(account.address1_country)),
        Column("Keywords", Tags(",", account.tandem_tags.max_length)), Column("Account Manager", Text(200)),
        Column("Accounting Contact", fitting(account.tandem_accountingcontact)), *_CREATED,
        Column("No. of Employees", within(account.numberofemployees, typed=True)),
        Column("Annual Sales", within(account.revenue, typed=True)),
        Column("Bike Brands Stocked (custom)", fitting(account.tandem_bikebrands), optional=True),
        Column("Contract Signed (custom)", _YES_NO, optional=True), _ROW_ID,
    ),
    sheet="Companies", owners=(Owner("Account Manager", OwnerBy.NAME),),
    duplicates=(
        Duplicate("Company Name", FindingCode.DUPLICATE_NAME, "company"),
        Duplicate("Email", FindingCode.DUPLICATE_EMAIL, "company"),
    ),
    rules=_IN_TIME,
)  # fmt: skip

CONTACTS = Object(
    "contact", "Contacts.xlsx", Format.WORKBOOK, ("Contact ID",),
    (
        Column("Contact ID", _KEY, required=True), Column("First Name", fitting(contact.firstname)),
        Column("Last Name", fitting(contact.lastname), required=True), Column("Full Name", Text(160)),
        Column("Email", Email()), Column("Phone", Phone()), Column("Mobile", Phone()),
        Column("Job Title", fitting(contact.jobtitle)), Column("Role", Text(100)), Column("Company", _NAME),
        Column("Company ID", _KEY), Column("Primary Contact", _YES_NO), Column("Keywords", Tags(",", 2000)),
        Column("Owner", Text(200)), Column("Opt Out", _YES_NO), *_CREATED,
        Column("Date of Birth (custom)", _DAY, optional=True), _ROW_ID,
    ),
    sheet="Contacts", references=(Reference("Company ID", "company", placeholder=True), _COMPANY_BY_NAME),
    owners=_OWNER, people="Email", duplicates=(Duplicate("Email", FindingCode.DUPLICATE_EMAIL, "person"),),
    rules=(*_IN_TIME, _NAMED_ALIKE),
)  # fmt: skip

LEADS = Object(
    "lead", "Lead Inbox.xlsx", Format.WORKBOOK, ("Lead ID",),
    (
        Column("Lead ID", _KEY, required=True), Column("Received", _AT, required=True),
        Column("First Name", Text(50)), Column("Last Name", Text(50), required=True),
        Column("Company Name", Text(100)), Column("Email", Email()), Column("Phone", Phone()),
        Column("City", Text(80)), Column("Country", Text(80)),
        Column("Lead Source", Choice(LEAD_SOURCES, kept=True)),
        Column("Lead Status", Choice(LEAD_STATUSES, kept=True), required=True), Column("Owner", Text(200)),
        Column("Message", Text(2000, lines=True)), _ROW_ID,
    ),
    sheet="Lead Inbox", owners=_OWNER, people="Email", rules=(Past(("Received",)),),
    duplicates=(Duplicate("Email", FindingCode.DUPLICATE_EMAIL, "person"),),
)  # fmt: skip

OPPORTUNITIES = Object(
    "opportunity", "Opportunities.xlsx", Format.WORKBOOK, ("Opportunity ID",),
    (
        Column("Opportunity ID", _KEY, required=True),
        Column("Opportunity Name", fitting(opportunity.name), required=True), Column("Company", _NAME),
        Column("Company ID", _KEY), Column("Contact", _NAME), Column("Sales Process", Text(100)),
        Column("Stage", Choice(STAGES, kept=True, most=200), required=True),
        Column("Stage Probability", within(opportunity.closeprobability, typed=True)),
        Column("Estimated Value", _AMOUNT),
        Column("Currency", Currency()),
        Column("Expected Close Date", _DAY),
        Column("Status", Choice(("Open", *_CLOSED)), required=True), Column("Outcome Reason", Text(200)),
        Column("Closed Date", _DAY), Column("Owner", Text(200)), *_CREATED, _ROW_ID,
    ),
    sheet="Opportunities",
    references=(Reference("Company ID", "company", placeholder=True), _COMPANY_BY_NAME, _CONTACT_BY_NAME),
    owners=_OWNER,
    rules=(
        *_IN_TIME, _NAMED_ALIKE, Order("Created Date", "Closed Date"), Past(("Closed Date",)),
        Never(
            FindingCode.STATE_WITHOUT_DATE, "Closed Date", (Is("Status", _CLOSED), Blank("Closed Date")),
            "closed, without a closed date",
        ),
        Never(
            FindingCode.STATE_CONTRADICTS, "Closed Date", (Is("Status", ("Open",)), Filled("Closed Date")),
            "open, with a closed date",
        ),
        Never(
            FindingCode.STATE_CONTRADICTS, "Estimated Value", (Is("Status", _LOST),
            Above("Estimated Value", 0)),
            "lost, with a value",
        ),
        Never(
            FindingCode.STATE_CONTRADICTS, "Estimated Value", (Is("Status", _WON), Blank("Estimated Value")),
            "won, without a value",
        ),
        Never(
            FindingCode.STATE_CONTRADICTS, "Stage", (Is("Status", _WON),
            Is("Stage", ("Lead-in", "Qualified"))),
            "won, in a stage of the beginning",
        ),
    ),
)  # fmt: skip

QUOTES = Object(
    "quote", "Sales Quotes.xlsx", Format.WORKBOOK, ("Quote No", "Revision"),
    (
        Column("Quote No", Key(100), required=True), Column("Revision", _COUNTED, required=True),
        Column("Company", _NAME),
        Column("Company ID", _KEY), Column("Contact", _NAME), Column("Opportunity", Text(300)),
        Column("Status", Choice(QUOTE_STATUSES), required=True), Column("Quote Date", _DAY),
        Column("Valid Until", _DAY), Column("Currency", Currency()), Column("Freight", _MONEY),
        Column("Subtotal", _MONEY), Column("Total", _MONEY), Column("Ship To Street", Text(250)),
        Column("Ship To City", Text(80)), Column("Ship To Region", Text(50)),
        Column("Ship To Postal Code", Postcode("Ship To Country")), Column("Ship To Country", Text(80)),
        Column("Owner", Text(200)), Column("Customer Order", Text(100)),
    ),
    sheet="Quotes",
    references=(
        Reference("Company ID", "company", placeholder=True), _COMPANY_BY_NAME, _CONTACT_BY_NAME,
        NameReference("Opportunity", "opportunity", "Opportunity Name"),
    ),
    owners=_OWNER,
    rules=(
        _NAMED_ALIKE, Order("Quote Date", "Valid Until"), Past(("Quote Date",)),
        Sum(("Subtotal", "Freight"), "Total"),
        Lines("quote item", ("Quote No", "Revision"), "Line Total", "Subtotal"),
    ),
)  # fmt: skip

QUOTE_ITEMS = Object(
    "quote item", "Sales Quotes.xlsx", Format.WORKBOOK, ("Quote No", "Revision", "Line"),
    (
        Column("Quote No", _KEY, required=True), Column("Revision", _COUNTED, required=True),
        Column("Line", _COUNTED, required=True), Column("Product Code", Key(100)),
        Column("Description", Text(500)),
        Column("Quantity", within(quotedetail.quantity, typed=True, positive=True), required=True),
        Column("Unit Price", within(quotedetail.priceperunit, typed=True, positive=True), required=True),
        Column("Discount %", Number(0, 100, 4, typed=True)), Column("Line Total", _MONEY),
    ),
    sheet="Quote Items", references=(Reference("Quote No", "quote", also=("Revision",)),),
    rules=(Product(("Quantity", "Unit Price"), "Discount %", "Line Total"),),
)  # fmt: skip

TICKETS = Object(
    "ticket", "Service Desk Tickets.xlsx", Format.WORKBOOK, ("Ticket No",),
    (
        Column("Ticket No", _KEY, required=True), Column("Subject", fitting(incident.title), required=True),
        Column("Board", Choice(BOARDS, kept=True)),
        Column("Status", Choice(TICKET_STATUSES, kept=True), required=True),
        Column("Priority", Choice(words.PRIORITY)), Column("Company", _NAME), Column("Company ID", _KEY),
        Column("Contact", _NAME), Column("Asset", Text(200)), Column("Assigned To", Text(200)),
        Column("Date Logged", _AT, required=True), Column("Date Closed", _AT),
        Column("Description", Text(2000, lines=True)),
        Column("Warranty (custom)", _YES_NO, optional=True), _ROW_ID,
    ),
    sheet="Tickets",
    references=(Reference("Company ID", "company", placeholder=True), _COMPANY_BY_NAME, _CONTACT_BY_NAME),
    owners=(Owner("Assigned To", OwnerBy.NAME),),
    rules=(
        _NAMED_ALIKE, Order("Date Logged", "Date Closed"), Past(("Date Logged", "Date Closed")),
        Never(
            FindingCode.STATE_WITHOUT_DATE, "Date Closed", (Is("Status", ("Closed",)), Blank("Date Closed")),
            "closed, without a date",
        ),
        Never(
            FindingCode.STATE_CONTRADICTS, "Date Closed",
            (Is("Status", ("Open", "In progress", "Waiting on customer")), Filled("Date Closed")),
            "not closed, with a date of closing",
        ),
    ),
)  # fmt: skip

COMMENTS = Object(
    "comment", "Service Desk Comments.xlsx", Format.WORKBOOK, ("Ticket No", "Comment #"),
    (
        Column("Ticket No", _KEY, required=True), Column("Comment #", _KEY, required=True),
        Column("Type", Choice(("Public", "Internal"))), Column("Author", Text(200)), Column("Date", _AT),
        Column("Comment", Text(100_000, lines=True), required=True),
    ),
    sheet="Comments", references=(Reference("Ticket No", "ticket"),),
    owners=(Owner("Author", OwnerBy.NAME, required=False),),
    rules=(
        NotBefore("Date", "Ticket No", "ticket", "Date Logged"), Past(("Date",)),
        Never(
            FindingCode.COMMENT_VISIBILITY, "Type", (Is("Type", ("Public",)), Begins("Comment", "INTERNAL")),
            "begins like an internal comment",
        ),
    ),
)  # fmt: skip

CAMPAIGNS = Object(
    "campaign", "Campaigns.xlsx", Format.WORKBOOK, ("Campaign ID",),
    (
        Column("Campaign ID", _KEY, required=True), Column("Campaign Name", Text(128), required=True),
        Column("Campaign Type", Choice(CAMPAIGN_TYPES, kept=True)),
        Column("Status", Choice(("Planned", "Active", "Completed"), kept=True)),
        Column("Start Date", _DAY), Column("End Date", _DAY), Column("Target Member Count", _WHOLE),
        Column("Owner", Text(200)), Column("Budget", _MONEY),
    ),
    sheet="Campaigns", owners=_OWNER,
    rules=(
        Order("Start Date", "End Date"), Members("campaign member", ("Campaign ID",), "Target Member Count"),
        Past(("Start Date",), (Is("Status", ("Active", "Completed")),)),
        Past(("End Date",), (Is("Status", ("Completed",)),)),
    ),
)  # fmt: skip

CAMPAIGN_MEMBERS = Object(
    "campaign member", "Campaigns.xlsx", Format.WORKBOOK, ("Campaign ID", "Member Type", "Member ID"),
    (
        Column("Campaign ID", _KEY, required=True), Column("Campaign Name", Text(128)),
        Column("Member Type", _KEY, required=True), Column("Member ID", _KEY, required=True),
        Column("Email", Email()),
        Column("Response", Choice(("Sent", "Opened", "Responded", "Unsubscribed"), kept=True)),
    ),
    sheet="Campaign Members",
    references=(
        Reference("Campaign ID", "campaign"),
        KindReference("Member ID", "Member Type", {"Contact": "contact", "Lead": "lead"}),
    ),
)  # fmt: skip

DOCUMENTS = Object(
    "document", "Documents.xlsx", Format.WORKBOOK, ("Document ID",),
    (
        Column("Document ID", _KEY, required=True), Column("File Name", Text(255), required=True),
        Column("Exported File", _KEY, required=True), Column("Folder", Text(200)),
        Column("Linked Module", _KEY),
        Column("Linked Record ID", _KEY), Column("Uploaded By", Text(200)), Column("Upload Date", _AT),
        Column("Size (bytes)", _WHOLE, required=True),
    ),
    sheet="Documents",
    references=(
        KindReference(
            "Linked Record ID", "Linked Module",
            {
                "Companies": "company", "Contacts": "contact", "Opportunities": "opportunity",
                "Lead Inbox": "lead",
                "Service Desk Tickets": "ticket", "Campaigns": "campaign",
            },
        ),
    ),
    owners=(Owner("Uploaded By", OwnerBy.NAME, required=False),), rules=(Past(("Upload Date",)),),
    attachments=Attachments(
        "Documents/", "Exported File", "Size (bytes)", prefix="Documents/", folder_column="Folder"
    ),
)  # fmt: skip

ACTIVITIES = Object(
    "activity", "Activities/", Format.TEXTS, ("(file name)",),
    (
        Column("(file name)", _KEY), Column("Type", Choice(KINDS), required=True),
        Column("Subject", Text(200)), Column("Date", Instant(_TEXTS), required=True),
        Column("Company", _NAME, optional=True), Column("Company ID", _KEY, optional=True),
        Column("Contact", _NAME, optional=True), Column("Contact ID", _KEY, optional=True),
        Column("Owner", Text(200), optional=True), Column("From", Email(200, kept=True), optional=True),
        Column("To", People(), optional=True), Column("Cc", People(), optional=True),
        Column("Attachments", Text(), optional=True),
        Column("Direction", Choice(("Incoming", "Outgoing")), optional=True),
        Column("Duration", Duration(60), optional=True),
        Column("Outcome", Choice(("Spoke", "Voicemail", "No answer"), kept=True, most=200), optional=True),
        Column("Start", Instant(_TEXTS), optional=True), Column("End", Instant(_TEXTS), optional=True),
        Column("Location", Text(200), optional=True), Column("Attendees", People(), optional=True),
        Column("(body)", Html(), optional=True),
    ),
    references=(
        Reference("Company ID", "company"), Reference("Contact ID", "contact", placeholder=True),
    ),
    participants=(Participants("From"), Participants("To"), Participants("Cc"), Participants("Attendees")),
    owners=_OWNER, rules=(_NAMED_ALIKE, Order("Start", "End")), kinds=Kinds("Type", KINDS),
)  # fmt: skip

ACTIVITY_ATTACHMENTS = Object(
    "attachment", "Activities/", Format.TEXTS, ("(file name)", "Attachment"),
    (
        Column("(file name)", _KEY, required=True), Column("Type", Choice(KINDS), required=True),
        Column("Attachment", Key(255), required=True), Column("Size (bytes)", _WHOLE, optional=True),
        Column("Date", Instant(_TEXTS)),
    ),
    references=(Reference("(file name)", "activity"),),
    attachments=Attachments("Documents/", "Attachment", "Size (bytes)", prefix="Documents/", shared=True),
    each=Each("Attachments", "Attachment", "Size (bytes)"),
)  # fmt: skip

EXPORT = Export(
    system=words.SYSTEM,
    objects=(
        USERS, COMPANIES, CONTACTS, LEADS, OPPORTUNITIES, QUOTES, QUOTE_ITEMS, TICKETS, COMMENTS, CAMPAIGNS,
        CAMPAIGN_MEMBERS, DOCUMENTS, ACTIVITIES, ACTIVITY_ATTACHMENTS,
    ),
    inventory=Inventory(
        "export_log.csv", Format.CSV, "File", "Rows", sheet="Module", exported="Exported At", clock=_TEXTS
    ),
    modified="Modified Date",
    directory=Directory("user", "Name", "Email", "Active", frozenset({"yes"})),
)  # fmt: skip
