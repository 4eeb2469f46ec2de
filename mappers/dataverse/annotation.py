"""The annotation table: notes, and the files in them."""

from mappers.dataverse import synced
from shared.core.mapping.columns import Target, choice, file, lookup, memo, table, text

subject = text("subject", "Title", 500)
notetext = memo("notetext", "Description", 100_000)
filename = text("filename", "File Name", 255)
mimetype = text("mimetype", "Mime Type", 256)
documentbody = file("documentbody", "Document")
objectid = lookup(
    "objectid",
    "Regarding",
    *(
        Target(name, entity_set, f"objectid_{name}")
        for name, entity_set in (
            ("account", "accounts"),
            ("contact", "contacts"),
            ("lead", "leads"),
            ("opportunity", "opportunities"),
            ("incident", "incidents"),
            ("campaign", "campaigns"),
            ("email", "emails"),
            ("phonecall", "phonecalls"),
            ("appointment", "appointments"),
            ("task", "tasks"),
        )
    ),
)

ownerid = synced.ownerid

tandem_visibility = choice(
    "tandem_visibility", "Visibility (legacy)", {100_000_000: "Public", 100_000_001: "Internal"}
)
tandem_folder = text("tandem_folder", "Folder (legacy)", 400)
tandem_filehash = text("tandem_filehash", "SHA-256 of the file (legacy)", 64)

TABLE = table(
    "annotation",
    "annotations",
    "annotationid",
    subject,
    notetext,
    filename,
    mimetype,
    documentbody,
    objectid,
    tandem_visibility,
    tandem_folder,
    tandem_filehash,
    *synced.COLUMNS,
    keys=synced.KEYS,
)
