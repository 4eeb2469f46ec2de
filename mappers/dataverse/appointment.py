"""The appointment table: meetings."""

from mappers.dataverse import activity, lifecycles, synced
from shared.core.mapping.columns import boolean, memo, parties, status, table, text

description = memo("description", "Description", activity.LONG)
location = text("location", "Location", 200)
isalldayevent = boolean("isalldayevent", "All Day Event")
statuscode = status(lifecycles.APPOINTMENT_STATUS)
regardingobjectid = activity.about("appointment")
ownerid = activity.owner("appointment")
appointment_activity_parties = parties(
    "appointment", "Organizer and attendees", leftover=activity.tandem_unresolved
)

TABLE = table(
    "appointment",
    "appointments",
    "activityid",
    *activity.COLUMNS,
    activity.scheduledstart,
    activity.scheduledend,
    description,
    location,
    isalldayevent,
    statuscode,
    regardingobjectid,
    ownerid,
    appointment_activity_parties,
    activity.tandem_unresolved,
    activity.tandem_timezone,
    keys=synced.KEYS,
    lifecycle=lifecycles.APPOINTMENT,
)
