"""Legrand Cloud CRM, as its export of workbooks shows it. It has no interface for programs."""

from local.crm.sheets.declaration import Files, Link, Module, SheetSystem, Stamp, Texts

_CREATED, _MODIFIED = "Created Date", "Modified Date"
_ROW = "Dataverse ID (custom)"
"""A custom field that an administrator made for whoever imports."""
_COMPANY = (Link("Company ID", "companies", "Company Name", "Company"),)
_STAMPED = frozenset({_CREATED, _MODIFIED})


def _columns(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


LEGRAND = SheetSystem(
    name="Legrand",
    zone="Australia/Sydney",
    log="export_log.csv",
    separate="comments",
    texts=Texts(
        Module(
            "activities",
            "Activities",
            "Activities/",
            ("(file name)",),
            _columns(
                """(file name), Type, Subject, Date, Company, Company ID, Contact, Contact ID, Owner, From,
                To, Cc, Attachments, Direction, Duration, Outcome, Start, End, Location, Attendees, (body)"""
            ),
            times=frozenset({"Date", "Start", "End"}),
            created="Date",
        ),
        body="(body)",
        attached="Attachments",
        documents="documents",
    ),
    modules=(
        Module("users", "Users", "Users.xlsx", ("User ID",), _columns("User ID, Name, Email, Title, Active")),
        Module(
            "companies",
            "Companies",
            "Companies.xlsx",
            ("Company ID",),
            _columns(
                """Company ID, Company Name, Company Type, Industry, Phone, Fax, Email, Website, Street, City,
                State, Postal Code, Country, Keywords, Account Manager, Accounting Contact, Created Date,
                Modified Date, No. of Employees, Annual Sales, Bike Brands Stocked (custom),
                Contract Signed (custom), Dataverse ID (custom)"""
            ),
            days=_STAMPED,
            numbers=frozenset({"No. of Employees", "Annual Sales"}),
            created=_CREATED,
            modified=_MODIFIED,
            prefix="CMP",
            reference=_ROW,
            required=("Company Name",),
            users=("Account Manager",),
        ),
        Module(
            "contacts",
            "Contacts",
            "Contacts.xlsx",
            ("Contact ID",),
            _columns(
                """Contact ID, First Name, Last Name, Full Name, Email, Phone, Mobile, Job Title, Role,
                Company, Company ID, Primary Contact, Keywords, Owner, Opt Out, Created Date, Modified Date,
                Date of Birth (custom), Dataverse ID (custom)"""
            ),
            days=_STAMPED | {"Date of Birth (custom)"},
            created=_CREATED,
            modified=_MODIFIED,
            prefix="CON",
            reference=_ROW,
            required=("Last Name",),
            links=_COMPANY,
            users=("Owner",),
            joined={"Full Name": ("First Name", "Last Name")},
        ),
        Module(
            "leads",
            "Lead Inbox",
            "Lead Inbox.xlsx",
            ("Lead ID",),
            _columns(
                """Lead ID, Received, First Name, Last Name, Company Name, Email, Phone, City, Country,
                Lead Source, Lead Status, Owner, Message, Dataverse ID (custom)"""
            ),
            times=frozenset({"Received"}),
            created="Received",
            prefix="LEAD",
            reference=_ROW,
            required=("Last Name",),
            defaults={"Lead Status": "New"},
            users=("Owner",),
        ),
        Module(
            "opportunities",
            "Opportunities",
            "Opportunities.xlsx",
            ("Opportunity ID",),
            _columns(
                """Opportunity ID, Opportunity Name, Company, Company ID, Contact, Sales Process, Stage,
                Stage Probability, Estimated Value, Currency, Expected Close Date, Status, Outcome Reason,
                Closed Date, Owner, Created Date, Modified Date, Dataverse ID (custom)"""
            ),
            days=_STAMPED | {"Expected Close Date", "Closed Date"},
            numbers=frozenset({"Stage Probability", "Estimated Value"}),
            created=_CREATED,
            modified=_MODIFIED,
            prefix="OPP",
            reference=_ROW,
            required=("Opportunity Name",),
            defaults={"Stage": "Lead-in", "Status": "Open"},
            links=_COMPANY,
            users=("Owner",),
        ),
        Module(
            "quotes",
            "Quotes",
            "Sales Quotes.xlsx",
            ("Quote No", "Revision"),
            _columns(
                """Quote No, Revision, Company, Company ID, Contact, Opportunity, Status, Quote Date,
                Valid Until, Currency, Freight, Subtotal, Total, Ship To Street, Ship To City,
                Ship To Region, Ship To Postal Code, Ship To Country, Owner, Customer Order"""
            ),
            days=frozenset({"Quote Date", "Valid Until"}),
            numbers=frozenset({"Revision", "Freight", "Subtotal", "Total"}),
        ),
        Module(
            "quote_items",
            "Quote Items",
            "Sales Quotes.xlsx",
            ("Quote No", "Revision", "Line"),
            _columns(
                """Quote No, Revision, Line, Product Code, Description, Quantity, Unit Price, Discount %,
                Line Total"""
            ),
            numbers=frozenset({"Revision", "Line", "Quantity", "Unit Price", "Discount %", "Line Total"}),
        ),
        Module(
            "tickets",
            "Tickets",
            "Service Desk Tickets.xlsx",
            ("Ticket No",),
            _columns(
                """Ticket No, Subject, Board, Status, Priority, Company, Company ID, Contact, Asset,
                Assigned To, Date Logged, Date Closed, Description, Warranty (custom),
                Dataverse ID (custom)"""
            ),
            times=frozenset({"Date Logged", "Date Closed"}),
            created="Date Logged",
            prefix="T",
            reference=_ROW,
            required=("Subject",),
            defaults={"Board": "Support", "Status": "Open"},
            links=_COMPANY,
            users=("Assigned To",),
            stamp=Stamp("Date Closed", "Status", frozenset({"Closed"})),
        ),
        Module(
            "documents",
            "Documents",
            "Documents.xlsx",
            ("Document ID",),
            _columns(
                """Document ID, File Name, Exported File, Folder, Linked Module, Linked Record ID,
                Uploaded By, Upload Date, Size (bytes)"""
            ),
            times=frozenset({"Upload Date"}),
            numbers=frozenset({"Size (bytes)"}),
            created="Upload Date",
            files=Files("Documents/", "Content", "File Name", "Exported File", "Size (bytes)"),
        ),
        Module(
            "comments",
            "Comments",
            "Service Desk Comments.xlsx",
            ("Ticket No", "Comment #"),
            _columns("Ticket No, Comment #, Type, Author, Date, Comment"),
            times=frozenset({"Date"}),
            created="Date",
        ),
        Module(
            "campaigns",
            "Campaigns",
            "Campaigns.xlsx",
            ("Campaign ID",),
            _columns(
                """Campaign ID, Campaign Name, Campaign Type, Status, Start Date, End Date,
                Target Member Count, Owner, Budget"""
            ),
            days=frozenset({"Start Date", "End Date"}),
            numbers=frozenset({"Target Member Count", "Budget"}),
        ),
        Module(
            "campaign_members",
            "Campaign Members",
            "Campaigns.xlsx",
            ("Campaign ID", "Member Type", "Member ID"),
            _columns("Campaign ID, Campaign Name, Member Type, Member ID, Email, Response"),
        ),
    ),
)
