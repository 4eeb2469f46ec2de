"""Files: file columns in one piece or in chunks, and the block uploads of notes and e-mail attachments."""

import base64
import binascii
import json
import re
from urllib.parse import quote

from local.dataverse.api.actions.arguments import nested_row
from local.dataverse.api.reads import find
from local.dataverse.api.request import Request
from local.dataverse.api.upload_sessions import Session
from local.dataverse.calls import JSON_TYPE, Answer, json_answer
from local.dataverse.errors import bad_payload
from local.dataverse.odata.address import Segment
from local.dataverse.rows.references import existing
from local.dataverse.schema.column import Column, Kind
from local.dataverse.schema.table import Table
from local.dataverse.store.database import Content

CHUNK_SIZE = 4 * 1024 * 1024
_RANGE = re.compile(r"bytes[ =](\d+)-(\d+)(?:/(\d+))?")


def file_column(table: Table, name: str) -> Column | None:
    """The file or image column of this name."""
    column = table.columns.get(name)
    return column if column is not None and column.kind in {Kind.FILE, Kind.IMAGE} else None


def upload(request: Request, table: Table, key: str, column: Column) -> Answer:
    """PATCH of a file column: the whole file, the start of a chunked upload, or one of its chunks."""
    call = request.call
    # Some clients repeat x-ms-transfer-mode on every chunk: the session token tells a chunk from a start.
    token = call.query.get("sessiontoken")
    if token is not None:
        return _chunk(request, token, (table, key, column))
    filename = call.headers.get("x-ms-file-name") or call.query.get("x-ms-file-name") or "file"
    if call.headers.get("x-ms-transfer-mode") == "chunked":
        find(request, table, key)
        token = request.organisation.new_id()
        request.organisation.uploads.open[token] = Session(filename)
        location = f"{request.entity_url(table, key)}/{column.name}?sessiontoken={token}"
        return Answer(
            200,
            {
                "Location": location,
                "x-ms-chunk-size": str(CHUNK_SIZE),
                "Access-Control-Expose-Headers": "Location, x-ms-chunk-size",
            },
        )
    _store(request, table, key, column, Content(filename, call.body))
    return Answer(204)


def download(request: Request, table: Table, key: str, column: Column, *, raw: bool) -> Answer:
    """GET of a file column: base64 in JSON, or the bytes with /$value; a Range asks for a part."""
    row = find(request, table, key)
    row_id = row[table.id_column]
    content = request.organisation.store.database.content(table.name, row_id, column.name)
    if content is None:
        return Answer(204)
    total = len(content.body)
    wanted = _RANGE.match(request.call.headers.get("range", ""))
    start, end = (int(wanted[1]), min(int(wanted[2]), total - 1)) if wanted else (0, total - 1)
    piece = content.body[start : end + 1]
    headers = {
        "Content-Disposition": f"attachment; filename={quote(content.filename)}",
        "x-ms-file-name": quote(content.filename),
        "x-ms-file-size": str(total),
        "Location": f"{request.entity_url(table, row_id)}/{column.name}",
        "Access-Control-Expose-Headers": "Content-Disposition, x-ms-file-name, x-ms-file-size, Location",
    }
    status = 206 if wanted is not None else 200
    if wanted is not None:
        headers["Content-Range"] = f"bytes {start}-{end}/{total}"
    if raw:
        return Answer(status, headers | {"Content-Type": "application/octet-stream"}, piece)
    body = json.dumps({"value": base64.b64encode(piece).decode()}).encode()
    return Answer(status, headers | {"Content-Type": JSON_TYPE}, body)


def remove(request: Request, table: Table, key: str, column: Column) -> Answer:
    """DELETE of a file column."""
    _store(request, table, key, column, None)
    return Answer(204)


def _chunk(request: Request, token: str, where: tuple[Table, str, Column]) -> Answer:
    session = request.organisation.uploads.get(token)
    span = _RANGE.match(request.call.headers.get("content-range", ""))
    if span is None or span[3] is None:
        raise bad_payload("A chunk needs a Content-Range with the total size.")
    if int(span[1]) != len(session.chunks):
        raise bad_payload("A chunk does not follow the one before it.")
    session.chunks += request.call.body
    if len(session.chunks) < int(span[3]):
        return Answer(206)
    del request.organisation.uploads.open[token]
    _store(request, *where, Content(session.filename, bytes(session.chunks)))
    return Answer(204)


def _store(request: Request, table: Table, key: str, column: Column, content: Content | None) -> None:
    with request.writing() as writer:
        row_id = existing(writer.transaction, table, key).id
        writer.allow("Write", table, writer.transaction.get(table.name, row_id) or {})
        writer.transaction.put_content(table.name, row_id, column.name, content)
        writer.set_columns(table, row_id, {column.name: request.organisation.new_id() if content else None})


def begin_blocks(request: Request, _segment: Segment) -> Answer:
    """InitializeAnnotationBlocksUpload: a continuation token."""
    filename = nested_row(request.call.json(), "Target").get("filename")
    token = request.organisation.new_id()
    request.organisation.uploads.open[token] = Session(str(filename or ""))
    context = f"{request.call.root}$metadata#Microsoft.Dynamics.CRM.InitializeBlocksUploadResponse"
    return json_answer(200, {"@odata.context": context, "FileContinuationToken": token})


def put_block(request: Request, _segment: Segment) -> Answer:
    """UploadBlock: one piece under its id."""
    body = request.call.json()
    session = request.organisation.uploads.get(str(body.get("FileContinuationToken")))
    try:
        data = base64.b64decode(str(body.get("BlockData")), validate=True)
    except binascii.Error as wrong:
        raise bad_payload("BlockData is not base64.") from wrong
    if len(data) > CHUNK_SIZE:
        raise bad_payload(f"A block is bigger than {CHUNK_SIZE} bytes.")
    session.blocks[str(body.get("BlockId"))] = data
    return Answer(204)


def commit_note(request: Request, _segment: Segment) -> Answer:
    """CommitAnnotationBlocksUpload: the note with its file."""
    body = request.call.json()
    token = str(body.get("FileContinuationToken"))
    session = request.organisation.uploads.get(token)
    missing = [block for block in body.get("BlockList", []) if block not in session.blocks]
    if missing:
        raise bad_payload("BlockList names a block that was not uploaded.")
    data = b"".join(session.blocks[block] for block in body.get("BlockList", []))
    target = nested_row(body, "Target") | {"documentbody": base64.b64encode(data).decode()}
    with request.writing() as writer:
        row = writer.create(writer.read(writer.catalog.tables["annotation"], target))
    del request.organisation.uploads.open[token]
    answer = {"AnnotationId": row["annotationid"], "FileSizeInBytes": len(data)}
    return json_answer(200, {"@odata.context": f"{request.call.root}$metadata", **answer})
