"""The email table: messages that were sent or received, kept as history."""

from mappers.dataverse import activity, lifecycles, synced
from shared.core.mapping.columns import boolean, memo, parties, status, table

description = memo("description", "Description", 1_073_741_823)
directioncode = boolean("directioncode", "Direction")
statuscode = status(lifecycles.EMAIL_STATUS)
regardingobjectid = activity.about("email")
ownerid = activity.owner("email")
email_activity_parties = parties("email", "Sender and recipients")

TABLE = table(
    "email",
    "emails",
    "activityid",
    *activity.COLUMNS,
    description,
    directioncode,
    statuscode,
    regardingobjectid,
    ownerid,
    email_activity_parties,
    activity.tandem_bodytext,
    keys=synced.KEYS,
    lifecycle=lifecycles.EMAIL,
)
