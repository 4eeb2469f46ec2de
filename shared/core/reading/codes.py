"""The closed list of finding codes, each with its policy: how grave it is and what the import does about it.

A code never changes its meaning. `docs/reference/findings.md` is generated from this list.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """What a finding holds up: nothing, nothing yet, its record, or its whole object."""

    INFO = "info"
    FLAG = "flag"
    HOLD = "hold"
    REFUSE = "refuse"


class FindingCode(StrEnum):
    """A stable name for one thing that can be wrong with an export."""

    FILE_MISSING = "file.missing"
    FILE_EMPTY = "file.empty"
    FILE_NO_ROWS = "file.no_rows"
    FILE_ENCODING = "file.encoding"
    FILE_BYTE_ORDER_MARK = "file.byte_order_mark"
    FILE_NUL_BYTE = "file.nul_byte"
    FILE_DELIMITER = "file.delimiter"
    FILE_QUOTE_UNCLOSED = "file.quote_unclosed"
    FILE_QUOTE_MISPLACED = "file.quote_misplaced"
    FILE_MALFORMED = "file.malformed"
    FILE_NOT_A_WORKBOOK = "file.not_a_workbook"
    FILE_SHEET_MISSING = "file.sheet_missing"
    FILE_SHEET_UNEXPECTED = "file.sheet_unexpected"
    FILE_HEADER_MISSING = "file.header_missing"
    FILE_TITLE_ROWS = "file.title_rows"
    FILE_COLUMN_MISSING = "file.column_missing"
    FILE_COLUMN_UNKNOWN = "file.column_unknown"
    FILE_COLUMN_REPEATED = "file.column_repeated"
    FILE_COLUMNS_REORDERED = "file.columns_reordered"
    FILE_BLANK_ROWS = "file.blank_rows"
    FILE_COUNT_DIFFERS = "file.count_differs"
    FILE_SIZE_DIFFERS = "file.size_differs"
    FILE_HASH_DIFFERS = "file.hash_differs"
    FILE_UNLISTED = "file.unlisted"
    DROP_INCOMPLETE = "drop.incomplete"
    DROP_LIST_UNREADABLE = "drop.list_unreadable"

    ROW_SHORT = "row.short"
    ROW_LONG = "row.long"
    KEY_BLANK = "key.blank"
    KEY_REPEATED = "key.repeated"

    TEXT_ENCODING = "text.encoding"
    TEXT_TOO_LONG = "text.too_long"
    TEXT_CONTROL_CHARACTER = "text.control_character"
    TEXT_INVISIBLE_CHARACTER = "text.invisible_character"
    TEXT_ODD_SPACE = "text.odd_space"
    TEXT_PADDED = "text.padded"
    TEXT_LINE_BREAK = "text.line_break"
    TEXT_LINE_ENDS = "text.line_ends"
    TEXT_NOT_COMPOSED = "text.not_composed"
    TEXT_DAMAGED = "text.damaged"
    TEXT_LIKE_FORMULA = "text.like_formula"
    TEXT_LIKE_HTML = "text.like_html"
    TEXT_AS_NUMBER = "text.as_number"
    CELL_FORMULA_WITHOUT_VALUE = "cell.formula_without_value"
    CELL_ERROR = "cell.error"
    VALUE_MISSING = "value.missing"
    VALUE_SEVERAL = "value.several"

    NUMBER_UNREADABLE = "number.unreadable"
    NUMBER_GROUPED = "number.grouped"
    NUMBER_DECIMAL_COMMA = "number.decimal_comma"
    NUMBER_AMBIGUOUS = "number.ambiguous"
    NUMBER_WITH_UNIT = "number.with_unit"
    NUMBER_WITH_CURRENCY = "number.with_currency"
    NUMBER_AS_TEXT = "number.as_text"
    NUMBER_NEGATIVE = "number.negative"
    NUMBER_OUT_OF_RANGE = "number.out_of_range"
    NUMBER_TOO_PRECISE = "number.too_precise"
    CURRENCY_UNKNOWN = "currency.unknown"

    DATE_UNREADABLE = "date.unreadable"
    DATE_IMPOSSIBLE = "date.impossible"
    DATE_AMBIGUOUS = "date.ambiguous"
    DATE_OTHER_ORDER = "date.other_order"
    DATE_OLDER_FORMAT = "date.older_format"
    DATE_AS_TEXT = "date.as_text"
    DATE_TWO_DIGIT_YEAR = "date.two_digit_year"
    DATE_SERIAL = "date.serial"
    DATE_IMPLAUSIBLE = "date.implausible"
    DATE_AFTER_EXPORT = "date.after_export"
    TIME_EPOCH = "time.epoch"
    TIME_OFFSET = "time.offset"
    TIME_ZONE_IN_VALUE = "time.zone_in_value"
    TIME_LOCAL = "time.local"
    TIME_SKIPPED = "time.skipped"
    TIME_REPEATED = "time.repeated"
    ZONE_WINDOWS_NAME = "zone.windows_name"
    ZONE_UNKNOWN = "zone.unknown"
    DURATION_AS_CLOCK = "duration.as_clock"

    EMAIL_MALFORMED = "email.malformed"
    URL_MALFORMED = "url.malformed"
    PHONE_AS_NUMBER = "phone.as_number"
    PHONE_UNREADABLE = "phone.unreadable"
    POSTCODE_AS_NUMBER = "postcode.as_number"
    POSTCODE_ZERO_LOST = "postcode.zero_lost"
    CHOICE_NO_TARGET = "choice.no_target"
    TAG_REPEATED = "tag.repeated"
    TAG_PARTED = "tag.parted"
    TAG_DIFFERS = "tag.differs"
    PARTICIPANT_UNRESOLVED = "participant.unresolved"
    PARTICIPANT_MISSING = "participant.missing"
    PARTICIPANT_UNREADABLE = "participant.unreadable"
    PARTICIPANT_REPEATED = "participant.repeated"
    PARTICIPANT_MANY = "participant.many"

    HTML_SCRIPT = "html.script"
    HTML_REMOTE = "html.remote"
    HTML_HIDDEN = "html.hidden"
    HTML_WITHOUT_TEXT = "html.without_text"
    BODY_MIME = "body.mime"

    REFERENCE_DANGLING = "reference.dangling"
    REFERENCE_BLANK = "reference.blank"
    REFERENCE_CYCLE = "reference.cycle"
    REFERENCE_CYCLE_CHILD = "reference.cycle_child"
    REFERENCE_UNKNOWN_KIND = "reference.unknown_kind"
    REFERENCE_NAME_UNKNOWN = "reference.name_unknown"
    REFERENCE_NAME_AMBIGUOUS = "reference.name_ambiguous"
    REFERENCE_UNCHECKED = "reference.unchecked"

    OWNER_BLANK = "owner.blank"
    OWNER_UNKNOWN = "owner.unknown"
    OWNER_DISABLED = "owner.disabled"
    OWNER_AMBIGUOUS = "owner.ambiguous"
    OWNER_NOT_A_PERSON = "owner.not_a_person"
    OWNER_ALIAS = "owner.alias"
    OWNER_LEFT = "owner.left"
    OWNERS_UNMATCHED = "owners.unmatched"
    USERS_INCOMPLETE = "users.incomplete"

    DUPLICATE_EMAIL = "duplicate.email"
    DUPLICATE_NAME = "duplicate.name"

    STATE_CONTRADICTS = "state.contradicts"
    STATE_WITHOUT_DATE = "state.without_date"
    DATES_OUT_OF_ORDER = "dates.out_of_order"
    SUM_DIFFERS = "sum.differs"
    MEMBERS_DIFFER = "members.differ"
    COMMENT_VISIBILITY = "comment.visibility"

    ATTACHMENT_MISSING = "attachment.missing"
    ATTACHMENT_SIZE_DIFFERS = "attachment.size_differs"
    ATTACHMENT_CHANGED = "attachment.changed"
    ATTACHMENT_UNHASHED = "attachment.unhashed"
    ATTACHMENT_HASH_UNREADABLE = "attachment.hash_unreadable"
    ATTACHMENT_TOO_LARGE = "attachment.too_large"
    ATTACHMENT_BLOCKED = "attachment.blocked"
    ATTACHMENT_OUTSIDE = "attachment.outside"
    ATTACHMENT_COLLIDES = "attachment.collides"
    ATTACHMENT_UNTRACKED = "attachment.untracked"
    ATTACHMENT_FOLDER_UNKNOWN = "attachment.folder_unknown"

    CUSTOM_FIELD_NOT_EXPORTED = "custom.field_not_exported"
    CUSTOM_FIELD_NAME = "custom.field_name"
    CUSTOM_OBJECT_NOT_EXPORTED = "custom.object_not_exported"
    CUSTOM_OBJECTS_MANY = "custom.objects_many"


@dataclass(frozen=True, slots=True)
class Policy:
    """What is done about a finding: how grave it is, what the import does, and what it means to a person."""

    severity: Severity
    action: str
    meaning: str


_I, _F, _H, _R = Severity.INFO, Severity.FLAG, Severity.HOLD, Severity.REFUSE
_C = FindingCode
_AGAIN = "ask for the file again"
_EDIT = "correct at the source"
_DECIDE = "a person decides"
_AS_IT_IS = "take as it is"

RULES: Mapping[FindingCode, Policy] = {
    _C.FILE_MISSING: Policy(_R, _AGAIN, "A file of the export is not there."),
    _C.FILE_EMPTY: Policy(_R, _AGAIN, "The file has no bytes."),
    _C.FILE_NO_ROWS: Policy(_I, _AS_IT_IS, "The file has a header and no rows."),
    _C.FILE_ENCODING: Policy(_R, _AGAIN, "The bytes are not the encoding the export is declared in."),
    _C.FILE_BYTE_ORDER_MARK: Policy(_I, "skip the mark", "The file begins with a byte-order mark."),
    _C.FILE_NUL_BYTE: Policy(_R, _AGAIN, "A NUL byte stands in a text file."),
    _C.FILE_DELIMITER: Policy(_R, _AGAIN, "The columns are separated by another character than declared."),
    _C.FILE_QUOTE_UNCLOSED: Policy(_R, _AGAIN, "The file ends inside a quoted cell: it was cut."),
    _C.FILE_QUOTE_MISPLACED: Policy(_R, _AGAIN, "Text follows the closing quote of a cell."),
    _C.FILE_MALFORMED: Policy(_R, _AGAIN, "The file breaks off or is not of its format."),
    _C.FILE_NOT_A_WORKBOOK: Policy(_R, _AGAIN, "The file is not a workbook, or only the beginning of one."),
    _C.FILE_SHEET_MISSING: Policy(_R, _AGAIN, "The workbook has no sheet of the declared name."),
    _C.FILE_SHEET_UNEXPECTED: Policy(_I, "leave it out", "The workbook has a sheet nobody declared."),
    _C.FILE_HEADER_MISSING: Policy(_R, _AGAIN, "No row holds the column names."),
    _C.FILE_TITLE_ROWS: Policy(_I, "skip the rows", "Rows of a title stand above the header."),
    _C.FILE_COLUMN_MISSING: Policy(_R, _AGAIN, "A declared column is not in the header."),
    _C.FILE_COLUMN_UNKNOWN: Policy(
        _F, "leave it out", "A column that nobody declared; its values are not read."
    ),
    _C.FILE_COLUMN_REPEATED: Policy(_R, _AGAIN, "Two columns have one name; which one is meant is a guess."),
    _C.FILE_COLUMNS_REORDERED: Policy(_I, _AS_IT_IS, "The columns stand in another order; they go by name."),
    _C.FILE_BLANK_ROWS: Policy(_I, "skip the rows", "Rows without any value; they count as none."),
    _C.FILE_COUNT_DIFFERS: Policy(_R, _AGAIN, "Not as many records as the list of the export says."),
    _C.FILE_SIZE_DIFFERS: Policy(_R, _AGAIN, "Not as many bytes as the list of the export says."),
    _C.FILE_HASH_DIFFERS: Policy(
        _R, _AGAIN, "The file was changed after the list of the export was written."
    ),
    _C.FILE_UNLISTED: Policy(_F, "leave it out", "A file that the list of the export does not name."),
    _C.DROP_INCOMPLETE: Policy(_R, "wait for the rest", "The list that completes an export is not there."),
    _C.DROP_LIST_UNREADABLE: Policy(_R, _AGAIN, "The list that completes an export cannot be read."),
    _C.ROW_SHORT: Policy(_H, _EDIT, "The row has fewer cells than the header."),
    _C.ROW_LONG: Policy(_H, _EDIT, "The row has more cells than the header."),
    _C.KEY_BLANK: Policy(_H, _EDIT, "The record has no key."),
    _C.KEY_REPEATED: Policy(_H, _DECIDE, "Another record has the same key; only one can be meant."),
    _C.TEXT_ENCODING: Policy(
        _F, "read as Windows-1252", "A text that is not UTF-8, which every other one is."
    ),
    _C.TEXT_TOO_LONG: Policy(_H, "shorten, or widen the column", "Longer than its column in Dataverse."),
    _C.TEXT_CONTROL_CHARACTER: Policy(
        _F, "remove the character", "A control character no text column takes."
    ),
    _C.TEXT_INVISIBLE_CHARACTER: Policy(_F, _AS_IT_IS, "A character nobody sees: it breaks searches."),
    _C.TEXT_ODD_SPACE: Policy(_I, "a plain blank", "A blank that is none of the usual, or several in a row."),
    _C.TEXT_PADDED: Policy(_I, "trim", "Blanks before or behind the value."),
    _C.TEXT_LINE_BREAK: Policy(_F, "a blank", "Several lines where its column in Dataverse has one."),
    _C.TEXT_LINE_ENDS: Policy(_I, "line feeds", "Lines end in different ways within one text."),
    _C.TEXT_NOT_COMPOSED: Policy(
        _I, "compose (NFC)", "Letters and accents stand apart; equal texts look unequal."
    ),
    _C.TEXT_DAMAGED: Policy(_H, _EDIT, "Characters were lost in an earlier change of encoding."),
    _C.TEXT_LIKE_FORMULA: Policy(_F, "keep as text", "Text that a spreadsheet would run as a formula."),
    _C.TEXT_LIKE_HTML: Policy(
        _F, "keep as text", "Plain text with mark-up in it; shown as text, never as a page."
    ),
    _C.TEXT_AS_NUMBER: Policy(_F, "write the digits", "A number stands where text is expected."),
    _C.CELL_FORMULA_WITHOUT_VALUE: Policy(
        _H, "save in the spreadsheet", "A formula whose result was never stored."
    ),
    _C.CELL_ERROR: Policy(_H, _EDIT, "The cell holds a spreadsheet error."),
    _C.VALUE_MISSING: Policy(_H, _EDIT, "A value the record cannot do without is blank."),
    _C.VALUE_SEVERAL: Policy(_H, _EDIT, "Several values stand where one is expected."),
    _C.NUMBER_UNREADABLE: Policy(_H, _EDIT, "Not a number."),
    _C.NUMBER_GROUPED: Policy(_I, "read the number", "Thousands are separated."),
    _C.NUMBER_DECIMAL_COMMA: Policy(_F, "read the number", "The decimals follow a comma."),
    _C.NUMBER_AMBIGUOUS: Policy(
        _H, _DECIDE, "The separator may part thousands or decimals, or a letter may mean a factor."
    ),
    _C.NUMBER_WITH_UNIT: Policy(_F, "read the number", "A unit is written with the number."),
    _C.NUMBER_WITH_CURRENCY: Policy(_F, "read the number", "A currency is written with the amount."),
    _C.NUMBER_AS_TEXT: Policy(_I, "read the number", "A number is stored as text among numbers."),
    _C.NUMBER_NEGATIVE: Policy(_F, _DECIDE, "Below zero where nothing negative is expected."),
    _C.NUMBER_OUT_OF_RANGE: Policy(_H, _EDIT, "Outside what its column in Dataverse takes."),
    _C.NUMBER_TOO_PRECISE: Policy(_F, "round", "More decimals than its column in Dataverse keeps."),
    _C.CURRENCY_UNKNOWN: Policy(_H, _EDIT, "Not a currency code of ISO 4217."),
    _C.DATE_UNREADABLE: Policy(_H, _EDIT, "Not a date or time in any known way of writing."),
    _C.DATE_IMPOSSIBLE: Policy(_H, _EDIT, "A day that no calendar has."),
    _C.DATE_AMBIGUOUS: Policy(
        _F, "read in the declared order", "Day and month could be the other way round."
    ),
    _C.DATE_OTHER_ORDER: Policy(_F, "read in the only order", "Day and month stand in the other order."),
    _C.DATE_OLDER_FORMAT: Policy(_I, "read as declared", "Written the older way the system declares."),
    _C.DATE_AS_TEXT: Policy(_I, "read as declared", "A date stored as text among dates."),
    _C.DATE_TWO_DIGIT_YEAR: Policy(_F, "read as 1970 to 2069", "The year has two digits."),
    _C.DATE_SERIAL: Policy(
        _F, "read as a day number", "A bare number: the days since 1900 of a spreadsheet."
    ),
    _C.DATE_IMPLAUSIBLE: Policy(_F, _DECIDE, "A year before 1900 or after 2100."),
    _C.DATE_AFTER_EXPORT: Policy(
        _F, _AS_IT_IS, "Happened, by its record, when the export was already written."
    ),
    _C.TIME_EPOCH: Policy(_F, "read as epoch", "A bare number: seconds or milliseconds since 1970."),
    _C.TIME_OFFSET: Policy(_I, "convert to UTC", "A time with an offset of its own."),
    _C.TIME_ZONE_IN_VALUE: Policy(_F, "convert to UTC", "The value names its own time zone."),
    _C.TIME_LOCAL: Policy(_I, "read in the export's zone", "A time without a zone."),
    _C.TIME_SKIPPED: Policy(_F, "move an hour on", "Clocks were put forward over this local time."),
    _C.TIME_REPEATED: Policy(_F, "take the first", "Clocks showed this local time twice."),
    _C.ZONE_WINDOWS_NAME: Policy(_I, "use the IANA zone", "A time zone by its Windows name."),
    _C.ZONE_UNKNOWN: Policy(_H, _EDIT, "No such time zone."),
    _C.DURATION_AS_CLOCK: Policy(
        _F, "read as hours, minutes, seconds", "A length of time is written like a clock."
    ),
    _C.EMAIL_MALFORMED: Policy(_H, _EDIT, "Not one e-mail address."),
    _C.URL_MALFORMED: Policy(_H, _EDIT, "Not a web address: it has blanks inside."),
    _C.PHONE_AS_NUMBER: Policy(
        _F, "write the digits", "A number was typed; zeros and plus signs in front are lost."
    ),
    _C.PHONE_UNREADABLE: Policy(_I, _AS_IT_IS, "Hardly a telephone number."),
    _C.POSTCODE_AS_NUMBER: Policy(_F, "write the digits", "A number was typed where a postcode is text."),
    _C.POSTCODE_ZERO_LOST: Policy(_F, "restore the zero", "Shorter than a postcode of its country."),
    _C.CHOICE_NO_TARGET: Policy(_H, "extend the map", "A value without an option in the map."),
    _C.TAG_REPEATED: Policy(_I, _AS_IT_IS, "One tag stands twice, in other letters or blanks."),
    _C.TAG_PARTED: Policy(_H, _EDIT, "The sign that stands between tags stands inside one."),
    _C.TAG_DIFFERS: Policy(_F, "keep the tags of both", "The record's own tags are not those of the list."),
    _C.PARTICIPANT_UNRESOLVED: Policy(
        _F, "keep as an unresolved party", "Neither a user nor a person of the export."
    ),
    _C.PARTICIPANT_MISSING: Policy(_F, _AS_IT_IS, "Nobody takes part."),
    _C.PARTICIPANT_UNREADABLE: Policy(_H, _EDIT, "Who takes part is not told as text."),
    _C.PARTICIPANT_REPEATED: Policy(_I, "once only", "One address takes part twice."),
    _C.PARTICIPANT_MANY: Policy(_I, _AS_IT_IS, "More than 50 take part."),
    _C.HTML_SCRIPT: Policy(_F, "never store it", "Script in a body."),
    _C.HTML_REMOTE: Policy(_F, "never load it", "A body that loads something from elsewhere."),
    _C.HTML_HIDDEN: Policy(_I, "leave it out", "Text in comments or hidden parts of a body."),
    _C.HTML_WITHOUT_TEXT: Policy(_I, "make the text from the HTML", "A body without its plain text."),
    _C.BODY_MIME: Policy(_F, "take the text part", "The body is a whole mail message with its headers."),
    _C.REFERENCE_DANGLING: Policy(_H, _EDIT, "Names a record the export does not hold."),
    _C.REFERENCE_BLANK: Policy(_F, "use the placeholder", "Belongs to nothing."),
    _C.REFERENCE_CYCLE: Policy(
        _H, _EDIT, "Records that are each other's parents; Dataverse refuses the link that closes the circle."
    ),
    _C.REFERENCE_CYCLE_CHILD: Policy(_F, _AS_IT_IS, "Its parent, or one further up, is in a cycle."),
    _C.REFERENCE_UNKNOWN_KIND: Policy(_H, _EDIT, "Names a kind of record that the export does not have."),
    _C.REFERENCE_NAME_UNKNOWN: Policy(_H, _DECIDE, "Names a record by a text that no record has."),
    _C.REFERENCE_NAME_AMBIGUOUS: Policy(_H, _DECIDE, "Names a record by a text that several have."),
    _C.REFERENCE_UNCHECKED: Policy(_F, "audit again", "The file these records point into could not be read."),
    _C.OWNER_BLANK: Policy(_H, "assign the fallback", "Nobody owns the record."),
    _C.OWNER_UNKNOWN: Policy(_H, "provision or assign the fallback", "The owner has no user in Dataverse."),
    _C.OWNER_DISABLED: Policy(
        _H, "enable or assign the fallback", "The owner's user is disabled in Dataverse."
    ),
    _C.OWNER_AMBIGUOUS: Policy(_H, _DECIDE, "Several users could be the owner."),
    _C.OWNER_NOT_A_PERSON: Policy(_F, _DECIDE, "The owner's user is not an interactive one."),
    _C.OWNER_ALIAS: Policy(_I, "use the user", "The owner was found by another address of the user."),
    _C.OWNER_LEFT: Policy(_I, "use the user", "The owner is inactive in the legacy system."),
    _C.OWNERS_UNMATCHED: Policy(
        _F, "settle before the run", "Records of this object without a usable owner."
    ),
    _C.USERS_INCOMPLETE: Policy(
        _R, "fetch every page", "The list of users goes on elsewhere or is malformed."
    ),
    _C.DUPLICATE_EMAIL: Policy(_F, "review, never merge unasked", "Another record has the same address."),
    _C.DUPLICATE_NAME: Policy(_F, "review, never merge unasked", "Another record has the same name."),
    _C.STATE_CONTRADICTS: Policy(
        _H, _EDIT, "Two columns tell different stories; a flag where one is another record's."
    ),
    _C.STATE_WITHOUT_DATE: Policy(_F, _DECIDE, "Closed, and nobody knows when."),
    _C.DATES_OUT_OF_ORDER: Policy(_F, _DECIDE, "Something ended before it began."),
    _C.SUM_DIFFERS: Policy(_F, _DECIDE, "The parts do not add up to the whole."),
    _C.MEMBERS_DIFFER: Policy(_F, _DECIDE, "Not as many members as the record says."),
    _C.COMMENT_VISIBILITY: Policy(_F, _DECIDE, "Says it is internal, and is marked public."),
    _C.ATTACHMENT_MISSING: Policy(_H, _AGAIN, "The file is listed and not there."),
    _C.ATTACHMENT_SIZE_DIFFERS: Policy(_H, _AGAIN, "The file has another size than listed."),
    _C.ATTACHMENT_CHANGED: Policy(_H, _AGAIN, "The file has other content than listed."),
    _C.ATTACHMENT_UNHASHED: Policy(_I, _AS_IT_IS, "Listed without a hash: a change would not show."),
    _C.ATTACHMENT_HASH_UNREADABLE: Policy(_H, _EDIT, "What is listed as the hash of the file is none."),
    _C.ATTACHMENT_TOO_LARGE: Policy(_H, "move by hand", "Larger than what a note can hold."),
    _C.ATTACHMENT_BLOCKED: Policy(_H, _DECIDE, "A kind of file that Dataverse refuses."),
    _C.ATTACHMENT_OUTSIDE: Policy(_R, "never read it", "The path leaves the folder of the export."),
    _C.ATTACHMENT_COLLIDES: Policy(_H, _DECIDE, "Two records name one file, or differ in letter case alone."),
    _C.ATTACHMENT_UNTRACKED: Policy(_F, "leave it out", "A file that no record names."),
    _C.ATTACHMENT_FOLDER_UNKNOWN: Policy(_I, "put at the top", "Which folder it lay in is not told."),
    _C.CUSTOM_FIELD_NOT_EXPORTED: Policy(
        _F, _AGAIN, "A custom field is defined, and its column is in no file."
    ),
    _C.CUSTOM_FIELD_NAME: Policy(
        _F, "choose a column name", "Its name cannot be a column name in Dataverse."
    ),
    _C.CUSTOM_OBJECT_NOT_EXPORTED: Policy(_F, _AGAIN, "A custom object has rows, and no file of the export."),
    _C.CUSTOM_OBJECTS_MANY: Policy(_F, _DECIDE, "More custom objects than an edition may allow."),
}
"""Every code has its policy; a test keeps the two equal."""
