"""$batch: the bytes real parsers need, change sets, references, failures."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import httpx
import pytest

if TYPE_CHECKING:
    from tests.contract.dataverse_simulator.conftest import Api

GHOST = "00000000-0000-0000-0000-00000000dead"


def part(line: str, body: object = None, content_id: int | None = None, **headers: str) -> str:
    lines = ["Content-Type: application/http", "Content-Transfer-Encoding: binary"]
    if content_id is not None:
        lines.append(f"Content-ID: {content_id}")
    lines += ["", f"{line} HTTP/1.1", "Content-Type: application/json; type=entry"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", json.dumps(body) if body is not None else ""])


def change_set(*parts: str) -> str:
    inner = "".join(f"--changeset_c\r\n{item}\r\n" for item in parts)
    return f"Content-Type: multipart/mixed; boundary=changeset_c\r\n\r\n{inner}--changeset_c--\r\n"


def send(api: Api, *parts: str, prefer: str = "") -> httpx.Response:
    text = "".join(f"--batch_b\r\n{item}\r\n" for item in parts) + "--batch_b--\r\n"
    headers = {"Content-Type": 'multipart/mixed; boundary="batch_b"'}
    if prefer:
        headers["Prefer"] = prefer
    answer: httpx.Response = api.post("$batch", content=text, headers=headers)
    return answer


def statuses(answer: httpx.Response) -> list[int]:
    return [int(status) for status in re.findall(r"^HTTP/1\.1 (\d+) ", answer.text, re.MULTILINE)]


def test_the_answer_is_byte_for_byte_what_parsers_expect(api: Api) -> None:
    answer = send(
        api,
        change_set(part("POST accounts", {"name": "A"}, 1)),
        part("GET accounts?$select=name&$filter=name eq 'A'"),
    )

    assert answer.status_code == 200
    outer = re.fullmatch(
        r"multipart/mixed; boundary=(batchresponse_[0-9a-f-]{36})", answer.headers["Content-Type"]
    )
    assert outer is not None
    inner = re.search(r"changesetresponse_[0-9a-f-]{36}", answer.text)
    assert inner is not None
    row = api.select("accounts", select="name,versionnumber")[0]
    url = f"{api.root}accounts({row['accountid']})"
    listed = (
        f'{{"@odata.context":"{api.root}$metadata#accounts(name)","value":[{{"@odata.etag":"W/\\"'
        f'{row["versionnumber"]}\\"","accountid":"{row["accountid"]}","name":"A"}}]}}'
    )
    assert answer.content.decode() == "\r\n".join(
        [
            f"--{outer[1]}",
            f"Content-Type: multipart/mixed; boundary={inner[0]}",
            "",
            f"--{inner[0]}",
            "Content-Type: application/http",
            "Content-Transfer-Encoding: binary",
            "Content-ID: 1",
            "",
            "HTTP/1.1 204 No Content",
            "OData-Version: 4.0",
            f"Location: {url}",
            f"OData-EntityId: {url}",
            "",
            "",
            f"--{inner[0]}--",
            "",
            f"--{outer[1]}",
            "Content-Type: application/http",
            "Content-Transfer-Encoding: binary",
            "",
            "HTTP/1.1 200 OK",
            "OData-Version: 4.0",
            "Content-Type: application/json; odata.metadata=minimal",
            "",
            listed,
            f"--{outer[1]}--",
            "",
        ]
    )


def test_a_failing_part_stops_the_batch_unless_told_to_go_on(api: Api) -> None:
    parts = (
        part("POST accounts", {"name": "A"}),
        part("POST accounts", {"nonsense": 1}),
        part("POST accounts", {"name": "B"}),
    )

    stopped = send(api, *parts)
    gone_on = send(api, *parts, prefer="odata.continue-on-error")

    assert (stopped.status_code, statuses(stopped)) == (400, [204, 400])
    assert (gone_on.status_code, statuses(gone_on)) == (200, [204, 400, 204])
    assert '"code":"0x80048d19"' in stopped.text


def test_a_change_set_is_all_or_nothing(api: Api) -> None:
    answer = send(
        api,
        change_set(part("POST accounts", {"name": "A"}, 1), part(f"PATCH accounts({GHOST})", {"x": 1}, 2)),
        part("POST accounts", {"name": "B"}),
        prefer="odata.continue-on-error",
    )

    assert statuses(answer) == [400, 204]
    assert [row["name"] for row in api.select("accounts", select="name")] == ["B"]


def test_later_parts_of_a_change_set_refer_to_earlier_rows(api: Api) -> None:
    answer = send(
        api,
        change_set(
            part("POST accounts", {"name": "A"}, 1),
            part("POST contacts", {"lastname": "P", "parentcustomerid_account@odata.bind": "$1"}, 2),
            part("PATCH $1", {"telephone1": "5"}, 3),
            part("PUT $1/primarycontactid/$ref", {"@odata.id": "$2"}, 4),
        ),
    )

    assert (answer.status_code, statuses(answer)) == (200, [204, 204, 204, 204])
    account = api.select("accounts", select="telephone1,_primarycontactid_value")[0]
    contact = api.select("contacts", select="_parentcustomerid_value")[0]
    assert (account["telephone1"], account["_primarycontactid_value"]) == ("5", contact["contactid"])
    assert contact["_parentcustomerid_value"] == account["accountid"]


def test_a_reference_forward_is_refused_by_name(api: Api) -> None:
    answer = send(
        api, change_set(part("PATCH $2", {"name": "A"}, 1), part("POST accounts", {"name": "B"}, 2))
    )

    assert (answer.status_code, statuses(answer)) == (400, [400])
    assert "Content-ID Reference: '$2' does not exist in the batch context." in answer.text


@pytest.mark.parametrize(
    "wrong",
    [
        change_set(part("GET accounts", content_id=1)),
        change_set(part("POST accounts", {"name": "A"})),
        part("POST $batch", {}),
    ],
    ids=["get in a change set", "no content id", "nested batch"],
)
def test_a_batch_that_breaks_a_rule_is_refused(api: Api, wrong: str) -> None:
    assert send(api, wrong).status_code == 400
    assert api.select("accounts") == []


def test_more_than_a_thousand_operations_are_refused(api: Api, refused: Callable[..., object]) -> None:
    assert refused(send(api, *(part("GET WhoAmI") for _ in range(1001)))) == (400, "0x80060888")


def test_each_part_has_its_own_condition_and_its_own_result(api: Api) -> None:
    row_id = api.create("accounts", name="A")
    etag = api.get(f"accounts({row_id})").headers["ETag"]

    answer = send(
        api,
        part(f"PATCH accounts({row_id})", {"name": "B"}, If_Match=etag),
        part(f"PATCH accounts({row_id})", {"name": "C"}, If_Match=etag),
        part(
            f"PATCH {api.root}accounts({row_id})?$select=name", {"fax": "1"}, Prefer="return=representation"
        ),
        prefer="odata.continue-on-error",
    )

    assert statuses(answer) == [204, 412, 200]
    assert api.row(f"accounts({row_id})", "name", "fax") == {"accountid": row_id, "name": "B", "fax": "1"}


def test_line_feeds_and_unquoted_boundaries_are_fine(api: Api) -> None:
    text = (
        "--b\nContent-Type: application/http\n\nPOST /api/data/v9.2/accounts HTTP/1.1\n"
        'Content-Type: application/json\n\n{"name":"A"}\n--b--'
    )

    answer = api.post("$batch", content=text, headers={"Content-Type": "multipart/mixed;boundary=b"})

    assert (answer.status_code, statuses(answer)) == (200, [204])


def test_a_part_without_headers_keeps_its_body_with_every_kind_of_line_end_in_it(api: Api) -> None:
    name = "A\u2028B\x85C"
    text = f'--b\n\nPOST accounts HTTP/1.1\n\n{{"name":"{name}"}}\n--b--'

    answer = api.post("$batch", content=text.encode(), headers={"Content-Type": "multipart/mixed;boundary=b"})

    assert (answer.status_code, statuses(answer)) == (200, [204])
    assert [row["name"] for row in api.select("accounts", select="name")] == [name]
