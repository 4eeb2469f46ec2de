"""The phonecall table: calls that were made or received."""

from mappers.dataverse import activity, lifecycles, synced
from shared.core.mapping.columns import boolean, memo, parties, status, table, text

description = memo("description", "Description", 2000)
directioncode = boolean("directioncode", "Direction")
phonenumber = text("phonenumber", "Phone Number", 200)
leftvoicemail = boolean("leftvoicemail", "Left Voice Mail")
statuscode = status(lifecycles.PHONECALL_STATUS)
regardingobjectid = activity.about("phonecall")
ownerid = activity.owner("phonecall")
phonecall_activity_parties = parties(
    "phonecall", "Who called and was called", leftover=activity.tandem_unresolved
)

TABLE = table(
    "phonecall",
    "phonecalls",
    "activityid",
    *activity.COLUMNS,
    description,
    directioncode,
    phonenumber,
    leftvoicemail,
    statuscode,
    regardingobjectid,
    ownerid,
    phonecall_activity_parties,
    activity.tandem_unresolved,
    activity.tandem_outcome,
    activity.tandem_durationseconds,
    keys=synced.KEYS,
    lifecycle=lifecycles.PHONECALL,
)
