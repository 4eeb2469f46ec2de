"""What Allegory's file export holds, and what has to be true of it."""

from mappers.allegory import words
from mappers.dataverse import account, contact, lead, opportunity, pipeline_stage
from shared.core.mapping.transforms import Slashes
from shared.core.reading.codes import FindingCode, Severity
from shared.core.reading.contact_kinds import Email, People, Phone, Postcode
from shared.core.reading.export import (
    Attachments,
    Column,
    CustomFields,
    CustomObjects,
    Directory,
    Duplicate,
    Export,
    Format,
    Inventory,
    KindReference,
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
    Sha256,
    Text,
    Url,
    Zone,
    fitting,
    within,
)
from shared.core.reading.moments import Clock
from shared.core.reading.rules import Above, Agrees, Blank, Entries, Filled, Is, Never, Order, Past
from shared.core.reading.word_kinds import Choice, Tags, Words

_CLOCK = Clock(words.ZONE, Slashes.MONTH_FIRST)
_AT, _DAY, _KEY, _USER = Instant(_CLOCK), Day(_CLOCK), Key(), Email()
_YES_NO = Choice(("true", "false", "yes", "no"))
_FORECAST = Choice((*words.FORECAST_CATEGORY, *words.FORECAST_ALIASES))
_CREATED = (Column("created_at", _AT, required=True), Column("updated_at", _AT))
_OWNER = (Owner("owner_email", OwnerBy.EMAIL),)
_SUBJECTS = {"company": "company", "contact": "contact", "lead": "lead", "deal": "deal"}
_PARENTS = {**_SUBJECTS, "email": "email", "call": "call", "meeting": "meeting"}
"""What a file may belong to."""
# Both are kept as they are; nothing is decided by them.
_IN_TIME = (Order("created_at", "updated_at", Severity.INFO), Past(("created_at", "updated_at")))
_MEMO = 2000


def _tags(kind: str) -> Entries:
    """The tags that a record has in its own cell are those of the list of tags."""
    return Entries("tags", kind, "tag", ("object_type", "object_id"), "tag")


LEAD_SOURCES = (
    "Advertisement", "Employee Referral", "External Referral", "Partner", "Public Relations", "Seminar",
    "Trade Show",
    "Web", "Word of Mouth", "Other",
)  # fmt: skip
"""The sources that Dataverse's leadsourcecode has an option for."""
LEAD_STATUSES = ("New", "Contacted", "Qualified", "Unqualified")
"""The statuses that have a pair of state and reason in Dataverse."""
CALL_OUTCOMES = ("Connected", "Left voicemail", "No answer", "Busy", "Wrong number")

USERS = Object(
    "user", "users.csv", Format.CSV, ("user_id",),
    (
        Column("user_id", _KEY, required=True), Column("full_name", Text(200), required=True),
        Column("email", Email(), required=True), Column("role", Text()), Column("region", Text()),
        Column("manager", Text(200)), Column("active", _YES_NO, required=True),
    ),
    people="email", duplicates=(Duplicate("email", FindingCode.DUPLICATE_EMAIL, "user"),),
)  # fmt: skip

PIPELINES = Object(
    "pipeline", "pipelines.csv", Format.CSV, ("pipeline_id",),
    (
        Column("pipeline_id", _KEY, required=True), Column("name", Text(100), required=True),
        Column("business_unit", Text(160)), Column("currency", Currency()),
    ),
)  # fmt: skip

STAGES = Object(
    "pipeline stage", "pipeline_stages.csv", Format.CSV, ("stage_id",),
    (
        Column("stage_id", _KEY, required=True), Column("pipeline_id", _KEY, required=True),
        Column("name", Text(100), required=True),
        Column("display_order", within(pipeline_stage.tandem_displayorder)),
        Column("probability", within(pipeline_stage.tandem_probability)),
        Column("forecast_category", _FORECAST),
        Column("outcome", Choice(words.STATUS)),
    ),
    references=(Reference("pipeline_id", "pipeline"),),
)  # fmt: skip

COMPANIES = Object(
    "company", "companies.csv", Format.CSV, ("company_id",),
    (
        Column("company_id", _KEY, required=True), Column("name", fitting(account.name), required=True),
        Column("domain", Url(account.websiteurl.max_length)),
        Column("industry", fitting(account.tandem_industry)),
        Column("employees", within(account.numberofemployees)),
        Column("annual_revenue_musd", Number(0, 100_000_000, 8)),
        Column("year_founded", within(account.tandem_yearfounded)),
        Column("street", fitting(account.address1_line1)),
        Column("city", fitting(account.address1_city)),
        Column("state", fitting(account.address1_stateorprovince)),
        Column("postal_code", Postcode("country")), Column("country", fitting(account.address1_country)),
        Column("phone", Phone()), Column("parent_company_id", _KEY), Column("owner_email", _USER),
        Column("tags", Tags(";", account.tandem_tags.max_length)), *_CREATED,
        Column("cf_tier", Choice(words.TIER), optional=True),
        Column("cf_customer_since", within(account.tandem_customersince), optional=True),
        Column("cf_scoring_blob", fitting(account.tandem_scoringblob, lines=True), optional=True),
    ),
    references=(Reference("parent_company_id", "company", parent=True),), owners=_OWNER,
    duplicates=(Duplicate("name", FindingCode.DUPLICATE_NAME, "company"),),
    rules=(*_IN_TIME, _tags("company")),
)  # fmt: skip

CONTACTS = Object(
    "contact", "contacts.csv", Format.CSV, ("contact_id",),
    (
        Column("contact_id", _KEY, required=True), Column("first_name", fitting(contact.firstname)),
        Column("last_name", fitting(contact.lastname), required=True), Column("email", Email()),
        Column("phone", Phone()), Column("mobile", Phone()), Column("job_title", fitting(contact.jobtitle)),
        Column("primary_company_id", _KEY), Column("company_ids", Key(2000)), Column("owner_email", _USER),
        Column("lifecycle_stage", Choice(words.LIFECYCLE_STAGE)), Column("do_not_email", _YES_NO),
        Column("tags", Tags(";", 2000)), Column("birthday", _DAY), *_CREATED,
        Column("cf_linkedin", Url(500), optional=True), Column("cf_preferred_language", Text(10),
        optional=True),
    ),
    references=(
        Reference("primary_company_id", "company", placeholder=True),
        Reference("company_ids", "company", "|"),
    ),
    owners=_OWNER, people="email", duplicates=(Duplicate("email", FindingCode.DUPLICATE_EMAIL, "person"),),
    rules=(*_IN_TIME, _tags("contact")),
)  # fmt: skip

LEADS = Object(
    "lead", "leads.csv", Format.CSV, ("lead_id",),
    (
        Column("lead_id", _KEY, required=True), Column("first_name", Text(50)),
        Column("last_name", Text(50), required=True), Column("company_name", Text(100)),
        Column("email", Email()),
        Column("phone", Phone()), Column("city", Text(80)), Column("country", Text(80)),
        Column("lead_source", Choice(LEAD_SOURCES)), Column("lead_status", Choice(LEAD_STATUSES),
        required=True),
        Column("lead_score", within(lead.tandem_leadscore, positive=True)), Column("owner_email", _USER),
        Column("topic", Text(300), required=True), *_CREATED, Column("converted_contact_id", _KEY),
        Column("cf_gdpr_consent", _DAY, optional=True),
    ),
    references=(Reference("converted_contact_id", "contact"),), owners=_OWNER, people="email",
    duplicates=(Duplicate("email", FindingCode.DUPLICATE_EMAIL, "person"),),
    rules=(
        *_IN_TIME,
        Never(
            FindingCode.STATE_CONTRADICTS, "converted_contact_id",
            (Is("lead_status", ("New", "Contacted", "Unqualified")), Filled("converted_contact_id")),
            "became a contact, and is not qualified",
        ),
    ),
)  # fmt: skip

DEALS = Object(
    "deal", "deals.csv", Format.CSV, ("deal_id",),
    (
        Column("deal_id", _KEY, required=True), Column("name", fitting(opportunity.name), required=True),
        Column("company_id", _KEY), Column("primary_contact_id", _KEY),
        Column("pipeline_id", Key(100), required=True), Column("stage_id", Key(100), required=True),
        Column("stage_name", Text(200)),
        Column("amount", within(opportunity.estimatedvalue, positive=True, currency="currency")),
        Column("currency", Currency()),
        Column("probability", within(opportunity.closeprobability)),
        Column("forecast_category", _FORECAST), Column("engage_date", _DAY),
        Column("expected_close_date", _DAY), Column("close_date", _DAY),
        Column("status", Choice(words.STATUS), required=True), Column("lost_reason", Text(200)),
        Column("product", Text(200)), Column("owner_email", _USER), Column("tags", Tags(";", 2000)),
        Column("stage_entered_at", _AT), *_CREATED,
        Column("cf_margin_pct", within(opportunity.tandem_marginpercent), optional=True),
        Column("cf_decision", _YES_NO, optional=True),
        Column("cf_Décision interne", Text(200), optional=True),
    ),
    references=(
        Reference("company_id", "company", placeholder=True), Reference("primary_contact_id", "contact"),
        Reference("pipeline_id", "pipeline"), Reference("stage_id", "pipeline stage"),
    ),
    owners=_OWNER,
    rules=(
        *_IN_TIME, _tags("deal"), Order("engage_date", "close_date"), Past(("engage_date", "close_date")),
        Agrees("pipeline_id", "stage_id", "pipeline stage", "pipeline_id"),
        Agrees("stage_name", "stage_id", "pipeline stage", "name"),
        Agrees("probability", "stage_id", "pipeline stage", "probability"),
        Agrees("forecast_category", "stage_id", "pipeline stage", "forecast_category"),
        Agrees("status", "stage_id", "pipeline stage", "outcome", blank="open"),
        Never(
            FindingCode.STATE_WITHOUT_DATE, "close_date", (Is("status", ("won", "lost")),
            Blank("close_date")),
            "closed, without a close date",
        ),
        Never(
            FindingCode.STATE_CONTRADICTS, "close_date", (Is("status", ("open",)), Filled("close_date")),
            "open, with a close date",
        ),
        Never(
            FindingCode.STATE_CONTRADICTS, "lost_reason", (Is("status", ("open", "won")),
            Filled("lost_reason")),
            "not lost, with a reason for it",
        ),
        Never(
            FindingCode.STATE_CONTRADICTS, "amount", (Is("status", ("lost",)), Above("amount", 0)),
            "lost, with an amount",
        ),
    ),
)  # fmt: skip

CUSTOM_FIELDS = Object(
    "custom field", "custom_fields.json", Format.JSON, ("object", "key"),
    (
        Column("object", Key(50), required=True), Column("key", Key(100), required=True),
        Column("label", Text(200)),
        Column("type", Key(50), required=True), Column("options", Words()),
        Column("max_length", Number(0, 1_048_576, decimals=0)), Column("required", _YES_NO),
    ),
)  # fmt: skip

EMAILS = Object(
    "email", "activities_email.json", Format.JSON, ("activity_id",),
    (
        Column("activity_id", _KEY, required=True), Column("type", Choice(("email",))),
        Column("subject", Text(200)), Column("direction", Choice(("inbound", "outbound"))),
        Column("from", Email(200, kept=True), required=True), Column("to", People()), Column("cc", People()),
        Column("sent_at", _AT, required=True), Column("body_html", Html("body_text")),
        Column("body_text", Text(lines=True)), Column("related_type", _KEY), Column("related_id", _KEY),
        Column("contact_id", _KEY), Column("owner_email", _USER), Column("created_at", _AT),
    ),
    references=(KindReference("related_id", "related_type", _SUBJECTS), Reference("contact_id", "contact")),
    participants=(Participants("from"), Participants("to", expected=True), Participants("cc")), owners=_OWNER,
    rules=(Past(("sent_at", "created_at")),),
)  # fmt: skip

CALLS = Object(
    "call", "activities_call.csv", Format.CSV, ("activity_id",),
    (
        Column("activity_id", _KEY, required=True), Column("subject", Text(200)),
        Column("direction", Choice(("inbound", "outbound")), required=True),
        Column("duration_seconds", Duration()), Column("outcome", Choice(CALL_OUTCOMES, kept=True, most=200)),
        Column("phone_number", Phone(200)), Column("notes", Text(_MEMO, lines=True)),
        Column("started_at", _AT, required=True), Column("related_type", _KEY), Column("related_id", _KEY),
        Column("contact_id", _KEY), Column("owner_email", _USER),
    ),
    references=(KindReference("related_id", "related_type", _SUBJECTS), Reference("contact_id", "contact")),
    owners=_OWNER, rules=(Past(("started_at",)),),
)  # fmt: skip

MEETINGS = Object(
    "meeting", "activities_meeting.csv", Format.CSV, ("activity_id",),
    (
        Column("activity_id", _KEY, required=True), Column("subject", Text(200)),
        Column("location", Text(200)),
        Column("start_at", Instant(_CLOCK, "time_zone"), required=True),
        Column("end_at", Instant(_CLOCK, "time_zone"), required=True), Column("time_zone", Zone()),
        Column("all_day", _YES_NO), Column("attendees", People()), Column("organizer", Email(200, kept=True)),
        Column("description", Text(1_048_576, lines=True)), Column("related_type", _KEY),
        Column("related_id", _KEY),
        Column("owner_email", _USER), Column("created_at", _AT),
    ),
    references=(KindReference("related_id", "related_type", _SUBJECTS),),
    participants=(Participants("attendees", expected=True), Participants("organizer")), owners=_OWNER,
    rules=(Order("start_at", "end_at"), Past(("created_at",))),
)  # fmt: skip

TAGS = Object(
    "tag", "tags.csv", Format.CSV, ("object_type", "object_id", "tag"),
    (
        Column("object_type", Key(50), required=True), Column("object_id", Key(100), required=True),
        Column("tag", Text(100, never=";"), required=True),
    ),
    references=(KindReference("object_id", "object_type", _SUBJECTS),),
)  # fmt: skip

ATTACHMENTS = Object(
    "attachment", "attachments.csv", Format.CSV, ("attachment_id",),
    (
        Column("attachment_id", _KEY, required=True), Column("object_type", _KEY, required=True),
        Column("object_id", _KEY, required=True), Column("file_name", Text(255), required=True),
        Column("mime_type", Text(256)), Column("size_bytes", Number(0, 10**12, 0), required=True),
        Column("path", _KEY, required=True), Column("sha256", Sha256()), Column("uploaded_by", _USER),
        Column("uploaded_at", _AT),
    ),
    references=(KindReference("object_id", "object_type", _PARENTS),),
    owners=(Owner("uploaded_by", OwnerBy.EMAIL, required=False),),
    attachments=Attachments("attachments/", "path", "size_bytes", sha256="sha256"),
    rules=(Past(("uploaded_at",)),),
)  # fmt: skip

EXPORT = Export(
    system=words.SYSTEM,
    objects=(
        USERS, CUSTOM_FIELDS, PIPELINES, STAGES, COMPANIES, CONTACTS, LEADS, DEALS, EMAILS, CALLS, MEETINGS,
        TAGS, ATTACHMENTS,
    ),
    inventory=Inventory(
        "export_manifest.json", Format.JSON, "file", "rows", rows="files", size="bytes", sha256="sha256",
        exported="exported_at", clock=_CLOCK,
    ),
    directory=Directory("user", "full_name", "email", "active", frozenset({"true"})),
    custom_fields=CustomFields("custom_fields.json", "object", "key"),
    custom_objects=CustomObjects("custom_objects.json", "name", "rows"),
    modified="updated_at",
)  # fmt: skip
