"""The closed list of error codes: what operators filter, group and search runbooks by.

A code never changes its meaning. Each one says, in plain words, what went wrong and what to do next;
`docs/runbooks/` has a section per code and `tests/approved/error_codes.txt` pins the list.
"""

from dataclasses import dataclass
from enum import StrEnum


class Code(StrEnum):
    """A stable name for one way a message can fail."""

    NOT_JSON = "message.not_json"
    SCHEMA_VERSION = "message.schema_version"
    MISSING_FIELD = "message.missing_field"
    BAD_FIELD = "message.bad_field"
    UNKNOWN_FIELD = "message.unknown_field"
    UNKNOWN_SYSTEM = "message.unknown_system"
    UNKNOWN_ENTITY = "message.unknown_entity"
    BAD_TIMESTAMP = "message.bad_timestamp"
    FROM_THE_FUTURE = "time.future"
    SESSION_MISSING = "message.session_missing"
    SESSION_MISMATCH = "message.session_mismatch"
    BODY_CHANGED = "message.body_changed"
    IDENTITY_MISMATCH = "message.identity_mismatch"
    TRUNCATED = "message.truncated"
    NOT_OURS = "message.not_ours"

    VALUE_REQUIRED = "value.required"
    VALUE_NOT_TEXT = "value.not_text"
    VALUE_TOO_LONG = "value.too_long"
    VALUE_NOT_A_NUMBER = "value.not_a_number"
    VALUE_OUT_OF_RANGE = "value.out_of_range"
    VALUE_NOT_A_DATE = "value.not_a_date"
    VALUE_NOT_A_TIME = "value.not_a_time"
    VALUE_NOT_YES_OR_NO = "value.not_yes_or_no"
    VALUE_NO_OPTION = "value.no_option"
    VALUE_NOT_AN_EMAIL = "value.not_an_email"
    VALUE_FORBIDDEN_CHARACTER = "value.forbidden_character"
    VALUE_UNKNOWN_REFERENCE = "value.unknown_reference"

    FILE_TOO_LARGE = "file.too_large"
    FILE_BLOCKED = "file.blocked"
    FILE_DIFFERS = "file.differs"
    FILE_MISSING = "file.missing"

    PARENT_MISSING = "parent.missing"
    PARENT_ELSEWHERE = "parent.elsewhere"
    NEVER_CAME = "dependency.never_came"
    OWNER_UNMATCHED = "owner.unmatched"

    IMPORT_UNANSWERED = "import.unanswered"

    TARGET_THROTTLED = "target.throttled"
    TARGET_UNAVAILABLE = "target.unavailable"
    TARGET_MOVED_ON = "target.moved_on"
    TARGET_UNAUTHORISED = "target.unauthorised"
    TARGET_REFUSED = "target.refused"
    TARGET_GONE = "target.gone"
    TARGET_STATE = "target.state"
    TARGET_ONE_WAY = "target.one_way"

    LOOPING = "record.looping"
    RECORD_BUSY = "record.busy"
    NOT_SETTLING = "map.not_settling"

    UNEXPECTED = "tandem.unexpected"


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a code means to a person: `cause` in plain words, `advice` for the next step."""

    cause: str
    advice: str


EXPLANATIONS: dict[Code, Explanation] = {
    Code.NOT_JSON: Explanation(
        "The body is not a JSON object.", "Ask the sender to post one JSON object encoded in UTF-8."
    ),
    Code.SCHEMA_VERSION: Explanation(
        "The envelope names a schema version this service does not speak.",
        "Send schemaVersion 1.0, or upgrade the service before the sender.",
    ),
    Code.MISSING_FIELD: Explanation(
        "A field the envelope requires is absent.", "Ask the sender to add the named field."
    ),
    Code.BAD_FIELD: Explanation(
        "An envelope field has the wrong type or an empty value.",
        "Ask the sender to correct the named field.",
    ),
    Code.UNKNOWN_FIELD: Explanation(
        "The data has a field that no map knows.",
        "Remove the field, or map or drop it in the system's map; nothing is ignored silently.",
    ),
    Code.UNKNOWN_SYSTEM: Explanation(
        "The source is not a system this service knows.", "Correct `source`, or register the system."
    ),
    Code.UNKNOWN_ENTITY: Explanation(
        "The source has no map for this entity.", "Correct `entity`, or add a map for it."
    ),
    Code.BAD_TIMESTAMP: Explanation(
        "changedOn is not an ISO 8601 instant with an offset.",
        "Send the time of the change as, for example, 2026-01-31T10:11:12Z.",
    ),
    Code.FROM_THE_FUTURE: Explanation(
        "changedOn lies further in the future than clocks may differ.",
        "Correct the sender's clock. Then edit the message's time, release it as it is, or skip it.",
    ),
    Code.SESSION_MISSING: Explanation(
        "The message carries no session id, so its order cannot be kept.",
        "Send it with the record's id as session id.",
    ),
    Code.SESSION_MISMATCH: Explanation(
        "The session id names another record than the body.",
        "Send it with `source:entity:sourceKey` or the Dataverse id as session id.",
    ),
    Code.BODY_CHANGED: Explanation(
        "The message id was used before with another body. Both are kept; the first one counts.",
        "Give every change its own message id.",
    ),
    Code.IDENTITY_MISMATCH: Explanation(
        "dataverseId names another row than the one this record is already paired with.",
        "Correct the id, or re-pair the record in the crosswalk.",
    ),
    Code.TRUNCATED: Explanation(
        "Dataverse cut the message for its size and the row could not be read again.",
        "Replay it once the row can be read.",
    ),
    Code.NOT_OURS: Explanation(
        "The message speaks in Tandem's own name, and Tandem did not send it.",
        "Find out who sent it: no sender has a use for such a message. Nothing was done.",
    ),
    Code.VALUE_REQUIRED: Explanation("A required value is blank.", "Fill the field at its source."),
    Code.VALUE_NOT_TEXT: Explanation("The value is not text.", "Send the value as a string."),
    Code.VALUE_TOO_LONG: Explanation(
        "The text is longer than its column.", "Shorten it at its source, or lengthen the column."
    ),
    Code.VALUE_NOT_A_NUMBER: Explanation(
        "The value is not a plain number.", "Send digits with a point as decimal sign and no thousands sign."
    ),
    Code.VALUE_OUT_OF_RANGE: Explanation(
        "The number is outside its column's range.", "Correct it at its source."
    ),
    Code.VALUE_NOT_A_DATE: Explanation("The value is not a date that exists.", "Send it as YYYY-MM-DD."),
    Code.VALUE_NOT_A_TIME: Explanation(
        "The value is not a point in time.", "Send it as, for example, 2026-01-31T10:11:12Z."
    ),
    Code.VALUE_NOT_YES_OR_NO: Explanation("The value is neither yes nor no.", "Send true or false."),
    Code.VALUE_NO_OPTION: Explanation(
        "The label has no option on the other side.", "Correct it at its source, or add it to the map."
    ),
    Code.VALUE_NOT_AN_EMAIL: Explanation("The value is not an e-mail address.", "Correct it at its source."),
    Code.VALUE_FORBIDDEN_CHARACTER: Explanation(
        "The text has a character that a text column cannot hold.", "Remove control characters at its source."
    ),
    Code.VALUE_UNKNOWN_REFERENCE: Explanation(
        "The value names something Dataverse does not have.", "Create it in Dataverse, or correct the value."
    ),
    Code.FILE_TOO_LARGE: Explanation(
        "The file is larger than Dataverse, or our own limit, allows.",
        "Raise the limit and replay it, or bring the file over by hand; nothing waits behind it.",
    ),
    Code.FILE_BLOCKED: Explanation(
        "Dataverse is set to refuse files of this kind.",
        "Leave it, or allow the kind in Dataverse and replay it; nothing waits behind it.",
    ),
    Code.FILE_DIFFERS: Explanation(
        "The file is not the one its record describes: its size or its SHA-256 differs.",
        "Have it exported again, then replay it.",
    ),
    Code.FILE_MISSING: Explanation(
        "The record names a file that its system does not have.", "Add the file there, then replay it."
    ),
    Code.PARENT_MISSING: Explanation(
        "The record hangs from one that has not arrived yet.",
        "Nothing: it goes on by itself when the parent arrives. Old ones: ask for the parent.",
    ),
    Code.PARENT_ELSEWHERE: Explanation(
        "The row it hangs from is a record of another system alone: there is nothing to hang it from here.",
        "Link it in Dataverse to a row that this system has, or put the two customers together. Or skip.",
    ),
    Code.NEVER_CAME: Explanation(
        "The record has waited very long for one that it hangs from.",
        "Ask its sender for the missing record; this one goes on when that comes. Or edit, or skip.",
    ),
    Code.OWNER_UNMATCHED: Explanation(
        "The record's owner is no enabled user in Dataverse, or several users could be meant.",
        "Look at `tandem owners list`; create or enable the user, or say who is meant. It goes on by itself.",
    ),
    Code.IMPORT_UNANSWERED: Explanation(
        "The system has not acknowledged what was handed to it by import for very long.",
        "See that its imports run: tandem imports. This one goes on when the acknowledgement comes. Or skip.",
    ),
    Code.TARGET_THROTTLED: Explanation(
        "The far side asked us to slow down.", "Nothing: it is sent again at the time the far side named."
    ),
    Code.TARGET_UNAVAILABLE: Explanation(
        "The far side is down or did not answer in time.", "Nothing: it is tried again with growing pauses."
    ),
    Code.TARGET_MOVED_ON: Explanation(
        "Somebody else changed the record again and again while we tried to.",
        "Nothing: it is tried again with growing pauses.",
    ),
    Code.TARGET_UNAUTHORISED: Explanation(
        "The far side does not accept our credentials or rights.",
        "Renew the credentials or grant the missing right, then replay the group.",
    ),
    Code.TARGET_REFUSED: Explanation(
        "The far side understood the change and said no.", "Read its code, fix the cause, replay the group."
    ),
    Code.TARGET_STATE: Explanation(
        "The row is in a state from which Dataverse knows no way to the one asked for.",
        "Look at the row in Dataverse; bring it where it shall be there, or skip the message with a reason.",
    ),
    Code.TARGET_ONE_WAY: Explanation(
        "A person's decision would have to be written into a system to which nothing is written.",
        "Give it a place for imports and replay it; or skip it, and decide for what the system holds.",
    ),
    Code.TARGET_GONE: Explanation(
        "The record no longer exists on the far side.", "Decide whether it should be created again, or skip."
    ),
    Code.LOOPING: Explanation(
        "The record's changes cross back and forth without an end.",
        "Find who answers our writes with writes (a plug-in, a flow, another integration); then replay it.",
    ),
    Code.RECORD_BUSY: Explanation(
        "A record was merged into another one while its own last change was being written.",
        "Nothing: it is followed as soon as that change is done.",
    ),
    Code.NOT_SETTLING: Explanation(
        "What we wrote came back different, was taken over, and came back different again.",
        "Correct the map of the named column so that both ways agree; then replay it.",
    ),
    Code.UNEXPECTED: Explanation(
        "Tandem itself failed on this message.", "Report it with the message id; replay after the fix."
    ),
}
