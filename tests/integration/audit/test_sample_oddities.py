"""Every oddity of the small sample exports has its finding, by file, record, field and code."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

Told = Mapping[str, Any]

ALLEGORY = """
companies.csv | C-0007 | owner_email | owner.blank
companies.csv | C-0006 | owner_email | owner.unknown
companies.csv | C-0005 | owner_email | owner.disabled
companies.csv | C-0002 | owner_email | owner.disabled
companies.csv | C-0001 | owner_email | owner.ambiguous
companies.csv | C-0008,C-0009 | parent_company_id | reference.cycle
companies.csv | C-0010,C-0011,C-0012 | parent_company_id | reference.cycle
companies.csv | C-0013, | parent_company_id | reference.cycle
companies.csv | C-0015 | parent_company_id | reference.cycle_child
companies.csv | C-0014 | parent_company_id | reference.dangling
companies.csv | C-0014 | annual_revenue_musd | number.decimal_comma
companies.csv | C-0008 | created_at | date.ambiguous
companies.csv | C-0016 | name | text.like_formula
companies.csv | C-0017 | city | text.too_long
companies.csv | C-0018 | name | text.too_long
companies.csv | C-0019 | name | text.padded
companies.csv | C-0019 | name | duplicate.name
companies.csv | C-0014 | name | duplicate.name
companies.csv | - | - | owners.unmatched
contacts.csv | - | - | file.byte_order_mark
contacts.csv | P-00012 | cf_linkedin | text.too_long
contacts.csv | P-00013 | tags | tag.repeated
contacts.csv | P-00013 | tags | text.like_formula
contacts.csv | P-00013 | tags | tag.differs
contacts.csv | P-00014 | created_at | date.older_format
contacts.csv | P-00015 | created_at | time.offset
contacts.csv | P-00016 | created_at | time.zone_in_value
contacts.csv | P-00016 | created_at | time.skipped
contacts.csv | P-00017 | created_at | time.epoch
contacts.csv | P-00018 | birthday | date.impossible
contacts.csv | P-00019 | owner_email | owner.unknown
contacts.csv | P-00021 | last_name | value.missing
contacts.csv | P-00022 | job_title | text.too_long
contacts.csv | P-00023 | first_name | text.too_long
contacts.csv | P-00024 | first_name | text.invisible_character
contacts.csv | P-00025 | first_name | text.not_composed
contacts.csv | P-00025 | email | duplicate.email
contacts.csv | P-00026 | email | duplicate.email
contacts.csv | P-00027 | email | email.malformed
contacts.csv | P-00028 | email | text.padded
contacts.csv | P-00029 | email | duplicate.email
contacts.csv | P-00030 | email | duplicate.email
contacts.csv | P-00033 | primary_company_id | reference.dangling
contacts.csv | P-00033 | company_ids | reference.dangling
contacts.csv | P-00034 | primary_company_id | reference.blank
leads.csv | L-00001 | updated_at | dates.out_of_order
leads.csv | L-00010 | last_name | text.like_formula
leads.csv | L-00011 | company_name | text.too_long
leads.csv | L-00012 | lead_score | number.with_unit
leads.csv | L-00013 | lead_status | choice.no_target
leads.csv | L-00014 | lead_source | choice.no_target
leads.csv | L-90001 | - | row.short
leads.csv | L-90002 | - | row.long
deals.csv | 1C1I7A6R | close_date | dates.out_of_order
deals.csv | 7WAX8Z8O | status | state.contradicts
deals.csv | 7WAX8Z8O | close_date | state.contradicts
deals.csv | AJIPJP75 | name | text.too_long
deals.csv | VPDXX5PJ | amount | number.with_currency
deals.csv | 9SLYC4TR | amount | number.negative
deals.csv | CBAV8ZJL | currency | currency.unknown
deals.csv | 62AK8UWX | primary_contact_id | reference.dangling
deals.csv | 62AK8UWX | tags | text.control_character
deals.csv | 62AK8UWX | tags | tag.differs
deals.csv | 1C1I7A6R | tags | tag.differs
deals.csv | Q7IRUJK7 | deal_id | key.repeated
deals.csv | 2TYZRE2R | stage_id | reference.dangling
deals.csv | LAYVBSH4 | company_id | reference.blank
activities_email.json | E-00012 | from | value.missing
activities_email.json | E-00012 | to | participant.missing
activities_email.json | E-00014 | to | participant.many
activities_email.json | E-00014 | to | participant.unresolved
activities_email.json | E-00015 | related_id | reference.dangling
activities_email.json | E-00016 | subject | text.too_long
activities_email.json | E-00018 | body_html | html.script
activities_email.json | E-00018 | body_html | html.remote
activities_email.json | E-00018 | body_html | html.hidden
activities_email.json | E-00018 | body_html | html.without_text
activities_call.csv | K-00004 | notes | text.line_ends
activities_call.csv | K-00005 | started_at | date.other_order
activities_call.csv | K-00006 | notes | text.like_formula
activities_call.csv | K-00007 | direction | choice.no_target
activities_call.csv | K-00008 | duration_seconds | duration.as_clock
activities_meeting.csv | M-00003 | start_at | time.repeated
activities_meeting.csv | M-00004 | time_zone | zone.windows_name
activities_meeting.csv | M-00005 | attendees | participant.unresolved
activities_meeting.csv | M-00006 | attendees | participant.missing
activities_meeting.csv | M-00007 | end_at | dates.out_of_order
tags.csv | - | - | file.count_differs
attachments.csv | A-00007 | size_bytes | attachment.size_differs
attachments.csv | A-00007 | sha256 | attachment.unhashed
attachments.csv | A-00008 | size_bytes | attachment.too_large
attachments.csv | A-00009 | size_bytes | attachment.too_large
attachments.csv | A-00010 | path | attachment.missing
attachments.csv | A-00011 | sha256 | attachment.changed
attachments.csv | A-00012 | path | attachment.outside
attachments.csv | A-00013 | path | attachment.blocked
attachments.csv | A-00014 | object_id | reference.dangling
custom_fields.json | - | cf_gdpr_consent | custom.field_not_exported
custom_fields.json | - | cf_Décision interne | custom.field_name
custom_objects.json | - | - | custom.object_not_exported
"""

LEGRAND = """
Companies.xlsx | - | - | file.blank_rows
Companies.xlsx | - | - | file.sheet_unexpected
Companies.xlsx | CMP00003 | Street | text.odd_space
Companies.xlsx | CMP00019 | Created Date | date.two_digit_year
Companies.xlsx | CMP00020 | Created Date | date.other_order
Companies.xlsx | CMP00021 | Account Manager | owner.disabled
Companies.xlsx | CMP00022 | Company Name | text.padded
Companies.xlsx | CMP00022 | Company Type | choice.no_target
Companies.xlsx | CMP00023 | Postal Code | postcode.as_number
Companies.xlsx | CMP00023 | Postal Code | postcode.zero_lost
Companies.xlsx | CMP00024 | Company Name | text.invisible_character
Companies.xlsx | CMP00024 | Postal Code | postcode.zero_lost
Companies.xlsx | CMP00025 | Company Name | duplicate.name
Companies.xlsx | CMP00002 | Email | duplicate.email
Contacts.xlsx | CON00014 | Job Title | text.too_long
Contacts.xlsx | CON00015 | First Name | text.like_formula
Contacts.xlsx | CON00016 | Date of Birth (custom) | date.serial
Contacts.xlsx | CON00017 | Date of Birth (custom) | date.impossible
Contacts.xlsx | CON00018 | Mobile | phone.as_number
Contacts.xlsx | CON00019 | Owner | owner.unknown
Contacts.xlsx | CON00020 | Owner | owner.unknown
Contacts.xlsx | CON00021 | Email | duplicate.email
Contacts.xlsx | CON00022 | Company | text.padded
Contacts.xlsx | CON00023 | Company | reference.name_unknown
Contacts.xlsx | CON00023 | Company ID | reference.blank
Contacts.xlsx | CON00024 | Company ID | reference.blank
Lead Inbox.xlsx | - | - | file.count_differs
Lead Inbox.xlsx | LD00005 | Last Name | text.padded
Lead Inbox.xlsx | LD00007 | Message | text.like_html
Lead Inbox.xlsx | LD00008 | Last Name | value.missing
Lead Inbox.xlsx | LD00009 | Lead Source | choice.no_target
Lead Inbox.xlsx | LD00009 | Country | text.padded
Lead Inbox.xlsx | LD00010 | Lead Status | choice.no_target
Opportunities.xlsx | - | - | file.title_rows
Opportunities.xlsx | OPP00001 | Stage | choice.no_target
Opportunities.xlsx | OPP00002 | Estimated Value | number.with_currency
Opportunities.xlsx | OPP00003 | Closed Date | state.without_date
Opportunities.xlsx | OPP00022 | Opportunity Name | text.too_long
Opportunities.xlsx | OPP00023 | Company ID | reference.dangling
Sales Quotes.xlsx | Q-10278/1 | Total | cell.formula_without_value
Sales Quotes.xlsx | Q-10280/1 | Total | sum.differs
Sales Quotes.xlsx | Q-10297/1 | Opportunity | reference.name_unknown
Sales Quotes.xlsx | Q-10308/1 | Ship To Postal Code | postcode.zero_lost
Sales Quotes.xlsx | Q-10265/1/1 | Line Total | sum.differs
Sales Quotes.xlsx | Q-1/1/1 | Quote No | reference.dangling
Service Desk Tickets.xlsx | T00004 | Description | text.too_long
Service Desk Tickets.xlsx | T00006 | Subject | text.too_long
Service Desk Tickets.xlsx | T00007 | Date Logged | date.as_text
Service Desk Tickets.xlsx | T00008 | Company ID | reference.blank
Service Desk Tickets.xlsx | T00009 | Board | choice.no_target
Service Desk Comments.xlsx | T00005/1 | Type | comment.visibility
Service Desk Comments.xlsx | T00007/1 | Date | dates.out_of_order
Service Desk Comments.xlsx | T99999/1 | Ticket No | reference.dangling
Campaigns.xlsx | CAM001 | Target Member Count | members.differ
Campaigns.xlsx | CAM004 | Campaign Type | choice.no_target
Campaigns.xlsx | CAM001 | Start Date | date.after_export
Campaigns.xlsx | CAM004/Lead/CON99999 | Member ID | reference.dangling
Campaigns.xlsx | CAM004/Lead/LD00004 | Campaign ID | key.repeated
Campaigns.xlsx | CAM001/Contact/CON00001 | Campaign ID | key.repeated
Documents.xlsx | DOC00002 | Folder | attachment.folder_unknown
Documents.xlsx | DOC00007 | Size (bytes) | attachment.too_large
Documents.xlsx | DOC00008 | Linked Record ID | reference.dangling
Documents.xlsx | DOC00009 | Exported File | attachment.missing
Documents/untracked.txt | - | - | attachment.untracked
Activities/ACT-000010.txt | ACT-000010.txt | (body) | body.mime
Activities/ACT-000013.txt | ACT-000013.txt | - | text.encoding
Activities/ACT-000013.txt | ACT-000013.txt | Owner | owner.blank
Activities/ACT-000014.txt | ACT-000014.txt | Date | value.missing
Activities/ACT-000014.txt | ACT-000014.txt | Contact ID | reference.blank
Activities/ACT-000015.txt | ACT-000015.txt | End | dates.out_of_order
Activities/ACT-000016.txt | ACT-000016.txt | Type | choice.no_target
Activities/ACT-000017.txt | ACT-000017.txt | - | file.empty
"""


def expected(table: str, system: str) -> list[Any]:
    return [
        pytest.param(system, *(cell.strip() for cell in line.split("|")), id=f"{system}-{line}")
        for line in table.strip().splitlines()
    ]


@pytest.mark.parametrize(
    ("system", "file", "record", "field", "code"),
    [*expected(ALLEGORY, "allegory"), *expected(LEGRAND, "legrand")],
)
def test_an_oddity_has_its_finding(
    of_sample: Callable[[str, str], list[Told]], system: str, file: str, record: str, field: str, code: str
) -> None:
    key = None if record == "-" else [part for part in record.split(",") if part] if "," in record else record
    found = of_sample(system, "small")

    assert [
        told
        for told in found
        if (told["file"], told["record"], told["field"], told["finding"])
        == (file, key, None if field == "-" else field, code)
    ] != []


@pytest.mark.parametrize("system", ["allegory", "legrand"])
def test_what_is_odd_in_the_small_export_is_found_in_the_medium_one(
    of_sample: Callable[[str, str], list[Told]], system: str
) -> None:
    """Both were made odd in the same ways; only what depends on who is in it may differ."""
    small = {told["finding"] for told in of_sample(system, "small")}
    medium = {told["finding"] for told in of_sample(system, "medium")}

    assert small - medium - {"participant.repeated"} == set()
