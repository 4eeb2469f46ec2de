"""What Dataverse says when it does not do what it was asked, and what that means for the message.

One line per error code (E-13). The status alone is not enough: 412 means three things and 404 as many. The
codes are those of Microsoft's published list, but for 0x80048d19, 0x80060888 and 0x8006088a, which are known
from answers only. A code that is not here is judged by its status.
"""

from collections.abc import Mapping

from shared.connectors.web.meaning import Answer, Meaning, of_status

_ABSENT = Meaning.ABSENT
_MOVED_ON = Meaning.MOVED_ON
_REFUSED = Meaning.REFUSED
_THROTTLED = Meaning.THROTTLED
_UNAUTHORISED = Meaning.UNAUTHORISED
_UNAVAILABLE = Meaning.UNAVAILABLE

BY_CODE: Mapping[str, Answer] = {
    # The row addressed, or the row a lookup in the body points at: `refusal` tells them apart.
    "0x80040217": Answer(_ABSENT, "a row does not exist"),
    "0x80060891": Answer(_ABSENT, "no row has this key"),
    # Somebody else was there first.
    "0x80040237": Answer(_MOVED_ON, "a row with this id is already there"),
    "0x80060882": Answer(_MOVED_ON, "the row is at another version"),
    # Service protection: requests, execution time, concurrency.
    "0x80072322": Answer(_THROTTLED, "too many requests in five minutes"),
    "0x80072321": Answer(_THROTTLED, "too much execution time in five minutes"),
    "0x80072326": Answer(_THROTTLED, "too many requests at once"),
    # It passes.
    "0x80044171": Answer(_UNAVAILABLE, "a plug-in took too long"),
    "0x80044172": Answer(_UNAVAILABLE, "a plug-in took too long"),
    "0x80044173": Answer(_UNAVAILABLE, "a plug-in took too long"),
    "0x80081111": Answer(_UNAVAILABLE, "a plug-in took too long"),
    "0x80044150": Answer(_UNAVAILABLE, "its database failed"),
    "0x80044151": Answer(_UNAVAILABLE, "its database took too long"),
    "0x80044339": Answer(_UNAVAILABLE, "a lock could not be had"),
    "0x8004ed47": Answer(_UNAVAILABLE, "a lock could not be had"),
    "0x80040255": Answer(_UNAVAILABLE, "its transaction was aborted"),
    "0x80040216": Answer(_UNAVAILABLE, "it failed unexpectedly"),
    "0x80048543": Answer(_UNAVAILABLE, "the organisation is being updated"),
    "0x80048553": Answer(_UNAVAILABLE, "the organisation is being updated"),
    # Rights. 0x80040225 and 0x80040229 are about the owner in the row, not about us.
    "0x80040220": Answer(_UNAUTHORISED, "a privilege is missing"),
    "0x80048306": Answer(_UNAUTHORISED, "access to the row is missing"),
    "0x8004020d": Answer(_UNAUTHORISED, "access to the row is missing"),
    "0x80042f09": Answer(_UNAUTHORISED, "our user has no role"),
    "0x8004a110": Answer(_UNAUTHORISED, "our user may not act for another"),
    "0x80040225": Answer(_REFUSED, "the owner is a disabled user"),
    "0x80040229": Answer(_REFUSED, "the owner is not valid"),
    # The map or the configuration is wrong.
    "0x80060888": Answer(_REFUSED, "a table or column is not known there"),
    "0x8006088a": Answer(_REFUSED, "a table is not known there"),
    "0x80060890": Answer(_REFUSED, "the key is not defined there"),
    "0x8006089d": Answer(_REFUSED, "the key fits several rows"),
    "0x80048d19": Answer(_REFUSED, "the body does not fit the table"),
    "0x8006088d": Answer(_REFUSED, "the table keeps no row versions"),
    "0x80100005": Answer(_REFUSED, "this state is set by its own operation"),
    # A value.
    "0x80044331": Answer(_REFUSED, "a text is too long"),
    "0x8004431a": Answer(_REFUSED, "a choice has no such option"),
    "0x8004432f": Answer(_REFUSED, "a whole number is out of range"),
    "0x80044330": Answer(_REFUSED, "a number is out of range"),
    "0x80040317": Answer(_REFUSED, "an amount is out of range"),
    "0x80040200": Answer(_REFUSED, "a required value is missing"),
    "0x80040203": Answer(_REFUSED, "a required value is missing"),
    "0x8004203e": Answer(_REFUSED, "a required value is missing"),
    "0x80048408": Answer(_REFUSED, "the status does not belong to the state"),
    "0x80044a02": Answer(_REFUSED, "the attachment is too large"),
    "0x80043e09": Answer(_REFUSED, "this kind of attachment is blocked"),
    # What is there contradicts it.
    "0x80040233": Answer(_REFUSED, "the row's state does not allow it"),
    # The port never closes a record, so this is no echo of our own close.
    "0x80040515": Answer(_REFUSED, "the record is already closed"),
    "0x80044411": Answer(_REFUSED, "the record is already closed"),
    "0x800404cf": Answer(_REFUSED, "the record is already closed"),
    "0x80040507": Answer(_REFUSED, "its parents would form a ring, which Dataverse does not take"),
    "0x80060892": Answer(_REFUSED, "another row has this key"),
    "0x80073002": Answer(_REFUSED, "another row has this value, which must be unique"),
    "0x80040333": Answer(_REFUSED, "duplicate detection found another row"),
    "0x80040227": Answer(_REFUSED, "other rows hang from it"),
    "0x80040265": Answer(_REFUSED, "a plug-in refused it"),
}

_NOT_THE_SERVICE = Answer(Meaning.REFUSED, "this address is not known there")


def classify(status: int, code: str) -> Answer:
    """The meaning of an answer, by its code if known, else by its status.

    A 404 without a code was not said by the service about a row: the base URL or a gateway is wrong.
    """
    known = BY_CODE.get(code.lower())
    if known is not None:
        return known
    return _NOT_THE_SERVICE if status == 404 else of_status(status)
