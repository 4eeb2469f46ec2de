"""Requests that make no sense are refused; none makes the service fail."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.contract.dataverse_simulator.conftest import Api

ROW = "11111111-1111-4111-8111-111111111111"
OF = "Microsoft.Dynamics.CRM."
TEXT = {"LocalizedLabels": [{"Label": "X", "LanguageCode": 1033}]}
NAME_IS_X = {"AttributeName": "name", "Operator": "In", "Values": [{"Value": "x", "Type": "System.String"}]}
HAS_NAME_X = {"EntityName": "account", "Criteria": {"Conditions": [NAME_IS_X]}}
CONDITION = {"PropertyName": "LogicalName", "ConditionOperator": "Equals", "Value": {"Value": "account"}}
CLOSE = {"subject": "Done", "opportunityid@odata.bind": f"/opportunities({ROW})"}
ATTRIBUTE = {"@odata.type": f"{OF}StringAttributeMetadata", "SchemaName": "new_X", "IsPrimaryName": True}

READS = (
    "accounts?$filter=name eq 'x' and not (statecode eq 0)&$select=name&$orderby=name desc&$top=1",
    f"accounts?$filter={OF}In(PropertyName='name',PropertyValues=[\"a\"])&$count=true",
    "accounts?$filter=contact_customer_accounts/any(o:o/lastname eq 'E')",
    "accounts?$expand=primarycontactid($select=lastname;$expand=ownerid)",
    "accounts?$skiptoken=%3Ccookie%20pagenumber=%222%22%20/%3E",
    "accounts?$deltatoken=12%2101/01/2026 00:00:00",
    f"accounts({ROW})/contact_customer_accounts/$ref",
    "EntityDefinitions(LogicalName='account')/Attributes(LogicalName='name')",
    f"RetrieveMetadataChanges(Query=@p1)?@p1={json.dumps({'Criteria': {'Conditions': [CONDITION]}})}",
)
WRITES: tuple[tuple[str, str, Any], ...] = (
    ("POST", "accounts", {"name": "A", "numberofemployees": 1, "primarycontactid": {"lastname": "D"}}),
    ("PATCH", f"accounts({ROW})", {"name": "A", "parentaccountid@odata.bind": f"/accounts({ROW})"}),
    ("POST", f"accounts/{OF}UpsertMultiple", {"Targets": [{"@odata.type": f"{OF}account", "name": "A"}]}),
    (
        "POST",
        "emails",
        {"email_activity_parties": [{"addressused": "a@b.example", "participationtypemask": 2}]},
    ),
    ("PUT", f"emails({ROW})/email_activity_parties", {"value": [{"participationtypemask": 2}]}),
    ("PUT", f"accounts({ROW})/primarycontactid/$ref", {"@odata.id": f"contacts({ROW})"}),
    ("POST", "WinOpportunity", {"Status": 3, "OpportunityClose": CLOSE}),
    ("POST", f"leads({ROW})/{OF}QualifyLead", {"CreateAccount": True, "Status": 3}),
    ("POST", "ReviseQuote", {"QuoteId": ROW, "ColumnSet": {"AllColumns": True}}),
    ("POST", "BulkDelete", {"QuerySet": [HAS_NAME_X], "JobName": "J"}),
    ("POST", "CreateEntities", {"Entities": [{"SchemaName": "new_T", "Attributes": [ATTRIBUTE]}]}),
    ("POST", "EntityDefinitions(LogicalName='account')/Attributes", ATTRIBUTE),
    ("POST", "EntityDefinitions(LogicalName='account')/Keys", {"SchemaName": "k", "KeyAttributes": ["name"]}),
    ("POST", "GlobalOptionSetDefinitions", {"Name": "new_c", "Options": [{"Value": 1, "Label": TEXT}]}),
    ("POST", "InsertOptionValue", {"OptionSetName": "new_c", "Label": TEXT}),
    ("POST", "UploadBlock", {"BlockId": "a", "BlockData": "YQ==", "FileContinuationToken": ROW}),
)
BATCH = (
    "--b\nContent-Type: multipart/mixed;boundary=c\n\n--c\nContent-ID: 1\n\nPOST accounts HTTP/1.1\n\n{}\n"
    "--c\nContent-ID: 2\n\nPATCH $1 HTTP/1.1\n\n{}\n--c--\n--b\n\nGET accounts HTTP/1.1\n\n\n--b--"
)
JUNK: tuple[Any, ...] = (
    None,
    True,
    -1,
    1.5,
    10**30,
    "",
    "x" * 5000,
    "é",
    ROW,
    "2026-13-01",
    [],
    {},
    [1],
    [None],
)


def spoilt_text(text: str, chance: random.Random) -> str:
    letters = list(text)
    for _ in range(chance.randint(0, 3)):
        at = chance.randrange(len(letters))
        letters[at : at + chance.choice((0, 1, 4))] = chance.choice("()',/:=[]@$ \"x1é%\n")
    return "".join(letters)


def spoilt(value: Any, chance: random.Random) -> Any:
    if chance.random() < 0.1:
        return chance.choice(JUNK)
    if isinstance(value, dict):
        return {name: spoilt(inner, chance) for name, inner in value.items() if chance.random() < 0.95}
    return [spoilt(inner, chance) for inner in value] if isinstance(value, list) else value


@pytest.mark.parametrize("seed", range(6))
def test_no_request_makes_the_service_fail(api: Api, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311  # a seed must bring a failure back
    mixed = {"Content-Type": "multipart/mixed;boundary=b"}
    failed = []
    for _ in range(200):
        method, address, body = chance.choice((*WRITES, *[("GET", read, None) for read in READS]))
        address = spoilt_text(address, chance) if chance.random() < 0.5 else address
        asked = (method, address, json.dumps(spoilt(body, chance)) if body is not None else "")
        answers = [api.client.request(method, address.replace("\n", ""), content=asked[2].encode())]
        batch = spoilt_text(BATCH, chance)
        answers.append(api.client.post("$batch", content=batch.encode(), headers=mixed))
        failed += [(asked, batch) for answer in answers if "0x80040216" in answer.text]

    assert failed == []
