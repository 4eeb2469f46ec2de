"""What every organisation is born with: its unit, its people, its currencies, its duplicate rules."""

from local.dataverse.rows.caller import Caller, Origin
from local.dataverse.schema.catalog import metadata_id
from local.dataverse.store.row import Reference, Row
from local.dataverse.store.rows import RowStore
from local.dataverse.store.transaction import Transaction

ORGANISATION = metadata_id("seed", "organisation")
BUSINESS_UNIT = metadata_id("seed", "businessunit")
ADMINISTRATOR = metadata_id("seed", "systemuser", "Sam Admin")
TANDEM_USER = metadata_id("seed", "systemuser", "Tandem")
# Documented: tokens whose appid, azp or oid claim is this id act as the Tandem application user.
TANDEM_APPLICATION_ID = "7a2d0000-0000-4000-8000-00000000a11e"
ADMINISTRATOR_ROLE = metadata_id("seed", "role", "System Administrator")
BASE_CURRENCY = metadata_id("seed", "transactioncurrency", "USD")

_BORN = "2024-01-01T00:00:00Z"
_CURRENCIES = (
    ("USD", "US Dollar", "$", 1.0),
    ("EUR", "Euro", "€", 0.92),
    ("GBP", "Pound Sterling", "£", 0.79),
    ("AUD", "Australian Dollar", "A$", 1.52),
)


def plant(store: RowStore) -> None:
    """Put the seed into an empty store; a store in use is left as it is."""
    if store.get("organization", ORGANISATION) is not None:
        return
    transaction = Transaction(store, Origin(Caller(ADMINISTRATOR, ADMINISTRATOR), silent=True))
    for table, row in [*_people(), *_money(), *_duplicate_rules()]:
        definition = store.catalog.tables[table]
        stamped = _stamps(definition.columns.keys() & {"createdon", "modifiedon", "createdby", "modifiedby"})
        transaction.put(definition, stamped | row, frozenset(row))
    transaction.pair("systemuserroles_association", ADMINISTRATOR, ADMINISTRATOR_ROLE, present=True)
    transaction.pair("systemuserroles_association", TANDEM_USER, ADMINISTRATOR_ROLE, present=True)
    transaction.commit()


def _stamps(names: set[str]) -> Row:
    user = Reference("systemuser", ADMINISTRATOR)
    return {name: _BORN if name.endswith("on") else user for name in names}


def _people() -> list[tuple[str, Row]]:
    unit = Reference("businessunit", BUSINESS_UNIT)
    return [
        (
            "organization",
            {
                "organizationid": ORGANISATION,
                "name": "contoso",
                "maxuploadfilesize": 5_242_880,
                "expirechangetrackingindays": 7,
                "blockedattachments": "exe;bat;cmd;com;js;vbs;ps1;msi;dll",
                "basecurrencyid": Reference("transactioncurrency", BASE_CURRENCY),
            },
        ),
        ("businessunit", {"businessunitid": BUSINESS_UNIT, "name": "contoso", "isdisabled": False}),
        (
            "role",
            {"roleid": ADMINISTRATOR_ROLE, "name": "System Administrator", "businessunitid": unit},
        ),
        ("systemuser", _user(ADMINISTRATOR, "Sam", "Admin", "sam.admin@contoso.example")),
        (
            "systemuser",
            _user(TANDEM_USER, "Tandem", "Integration", "tandem@contoso.example")
            | {
                "applicationid": TANDEM_APPLICATION_ID,
                "azureactivedirectoryobjectid": TANDEM_APPLICATION_ID,
                "accessmode": 4,
                "isintegrationuser": True,
            },
        ),
    ]


def _user(user_id: str, first: str, last: str, mail: str) -> Row:
    return {
        "systemuserid": user_id,
        "firstname": first,
        "lastname": last,
        "fullname": f"{first} {last}",
        "internalemailaddress": mail,
        "domainname": mail,
        "isdisabled": False,
        "accessmode": 0,
        "azureactivedirectoryobjectid": metadata_id("entra", mail),
        "businessunitid": Reference("businessunit", BUSINESS_UNIT),
    }


def _money() -> list[tuple[str, Row]]:
    return [
        (
            "transactioncurrency",
            {
                "transactioncurrencyid": metadata_id("seed", "transactioncurrency", code),
                "isocurrencycode": code,
                "currencyname": name,
                "currencysymbol": symbol,
                "exchangerate": rate,
                "currencyprecision": 2,
                "statecode": 0,
                "statuscode": 1,
            },
        )
        for code, name, symbol, rate in _CURRENCIES
    ]


# The rules every organisation is born with, published: rows that share this column are duplicates.
_DUPLICATE_RULES = (("account", "name"), ("contact", "emailaddress1"), ("lead", "emailaddress1"))


def _duplicate_rules() -> list[tuple[str, Row]]:
    rows: list[tuple[str, Row]] = []
    for table, column in _DUPLICATE_RULES:
        rule_id = metadata_id("seed", "duplicaterule", table)
        rule = {
            "duplicateruleid": rule_id,
            "name": f"Rows of {table} with the same {column}",
            "baseentityname": table,
            "matchingentityname": table,
            "statecode": 1,
            "statuscode": 2,
        }
        condition = {
            "duplicateruleconditionid": metadata_id("seed", "duplicaterulecondition", table),
            "regardingobjectid": Reference("duplicaterule", rule_id),
            "baseattributename": column,
            "matchingattributename": column,
            "operatorcode": 0,
            "ignoreblankvalues": True,
        }
        rows += [("duplicaterule", rule), ("duplicaterulecondition", condition)]
    return rows
