"""The task table, which keeps e-mails, calls and meetings in the `seed` profile (C-04): by its category."""

from mappers.dataverse import activity, lifecycles, synced
from shared.core.mapping.columns import boolean, memo, status, table, text

description = memo("description", "Description", 2000)
category = text("category", "Category", 250)
statuscode = status(lifecycles.TASK_STATUS)
regardingobjectid = activity.about("task")
ownerid = activity.owner("task")

tandem_outgoing = boolean("tandem_outgoing", "Outgoing (legacy)")
tandem_phonenumber = text("tandem_phonenumber", "Phone number (legacy)", 200)
tandem_location = text("tandem_location", "Location (legacy)", 200)
tandem_allday = boolean("tandem_allday", "All day (legacy)")

TABLE = table(
    "task",
    "tasks",
    "activityid",
    *activity.COLUMNS,
    activity.scheduledstart,
    activity.scheduledend,
    description,
    category,
    statuscode,
    regardingobjectid,
    ownerid,
    tandem_outgoing,
    tandem_phonenumber,
    tandem_location,
    tandem_allday,
    activity.tandem_bodytext,
    activity.tandem_outcome,
    activity.tandem_durationseconds,
    activity.tandem_timezone,
    keys=synced.KEYS,
    lifecycle=lifecycles.TASK,
)
