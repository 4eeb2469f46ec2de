"""What is deployed to Azure agrees with what was tested here, as far as text can tell."""

import json
import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from mappers import SYSTEMS
from shared.settings import SETTINGS, known

MODULES = {"functions", "identity", "keyvault", "monitoring", "rbac", "servicebus", "sql", "storage"}
PARAMETER = re.compile(r"^param (\w+) \w+( = .+)?$", re.MULTILINE)
MODULE = re.compile(r"^module (\w+) '([^']+)' = \{\n(.*?)^\}", re.MULTILINE | re.DOTALL)
SETTING = re.compile(r"^      (\w+): ", re.MULTILINE)


@pytest.fixture(scope="module")
def infra(root: Path) -> Path:
    return root / "infra"


@pytest.fixture(scope="module")
def main(infra: Path) -> str:
    return (infra / "main.bicep").read_text()


@pytest.fixture(scope="module")
def app_settings(infra: Path) -> str:
    module = (infra / "modules/functions.bicep").read_text()
    return module.partition("resource settings 'config'")[2]


@pytest.fixture(scope="module", params=["dev", "test", "prod"])
def systems_settings(infra: Path, request: pytest.FixtureRequest) -> set[str]:
    """The settings of legacy systems that an environment gives, which the app gets beside its own."""
    text = (infra / f"main.{request.param}.bicepparam").read_text()
    given = re.search(r"^param systemSettings = \{\n(.*?)^\}", text, re.MULTILINE | re.DOTALL)
    assert given is not None
    return set(re.findall(r"^  (\w+): ", given[1], re.MULTILINE))


def declared(text: str) -> Mapping[str, bool]:
    """The parameters of a file, and whether each has to be given."""
    return {name: not default for name, default in PARAMETER.findall(text)}


def passed(body: str) -> set[str]:
    inside = re.search(r"^  params: \{\n(.*?)^  \}", body, re.MULTILINE | re.DOTALL)
    return set(re.findall(r"^    (\w+): ", inside[1], re.MULTILINE)) if inside else set()


def modules_of(infra: Path, text: str) -> Mapping[str, tuple[Path, str]]:
    return {name: (infra / path, body) for name, path, body in MODULE.findall(text)}


def faults(infra: Path, text: str) -> list[str]:
    """What is wrong between a file and the modules it calls."""
    found: list[str] = []
    for name, (path, body) in modules_of(infra, text).items():
        if not path.exists():
            found.append(f"{name}: there is no {path.name}")
            continue
        parameters = declared(path.read_text())
        given = passed(body)
        found += [f"{name}: {extra} is not declared" for extra in sorted(given - parameters.keys())]
        missing = {parameter for parameter, needed in parameters.items() if needed} - given
        found += [f"{name}: {parameter} is not given" for parameter in sorted(missing)]
        outputs = set(re.findall(r"^output (\w+) ", path.read_text(), re.MULTILINE))
        used = set(re.findall(rf"\b{name}\.outputs\.(\w+)", text))
        found += [f"{name}: has no output {output}" for output in sorted(used - outputs)]
    return found


def test_modules_get_the_parameters_they_declare(infra: Path, main: str) -> None:
    assert {path.stem for path, _ in modules_of(infra, main).values()} == MODULES
    assert {path.stem for path in (infra / "modules").glob("*.bicep")} == MODULES
    assert faults(infra, main) == []


@pytest.mark.parametrize(
    ("good", "bad", "fault"),
    [
        ("    tier: serviceBusTier\n", "", "serviceBus: tier is not given"),
        ("    skuName: sqlSkuName", "    size: sqlSkuName", "sql: size is not declared"),
        ("modules/storage.bicep", "modules/lake.bicep", "storage: there is no lake.bicep"),
        ("sql.outputs.host", "sql.outputs.address", "sql: has no output address"),
    ],
)
def test_a_planted_mistake_is_caught(infra: Path, main: str, good: str, bad: str, fault: str) -> None:
    assert good in main
    assert fault in faults(infra, main.replace(good, bad))


@pytest.mark.parametrize("environment", ["dev", "test", "prod"])
def test_an_environment_gives_what_is_asked_for(infra: Path, main: str, environment: str) -> None:
    text = (infra / f"main.{environment}.bicepparam").read_text()
    parameters = declared(main)
    given = set(re.findall(r"^param (\w+) = ", text, re.MULTILINE))

    assert "using 'main.bicep'" in text
    assert f"param environmentName = '{environment}'" in text
    assert given - parameters.keys() == set()
    assert {name for name, needed in parameters.items() if needed} - given == set()


def test_every_file_is_balanced(infra: Path) -> None:
    for path in [*infra.glob("*.bicep*"), *infra.glob("modules/*.bicep")]:
        code = re.sub(r"//.*|'(?:\\.|[^'\\])*'", "", path.read_text())
        assert [code.count(bracket) for bracket in "({["] == [code.count(bracket) for bracket in ")}]"], path


def test_nothing_is_named_twice(infra: Path, main: str, app_settings: str) -> None:
    bodies = [body for _, _, body in MODULE.findall(main)]
    lists = [
        *(re.findall(r"^    (\w+): ", body, re.MULTILINE) for body in bodies),
        SETTING.findall(app_settings),
        *(
            [name for name, _ in PARAMETER.findall(path.read_text())]
            for path in [infra / "main.bicep", *infra.glob("modules/*.bicep")]
        ),
    ]

    assert [name for names in lists for name in set(names) if names.count(name) > 1] == []


def test_every_parameter_is_used(infra: Path) -> None:
    for path in [infra / "main.bicep", *infra.glob("modules/*.bicep")]:
        text = path.read_text()
        unused = [name for name in declared(text) if len(re.findall(rf"\b{name}\b", text)) < 2]
        assert unused == [], path.name


def test_every_setting_without_a_default_is_set(app_settings: str, systems_settings: set[str]) -> None:
    required = {setting.name for setting in known(SYSTEMS) if setting.default is None}

    assert required - set(SETTING.findall(app_settings)) - systems_settings == set()


def test_every_setting_that_a_binding_names_is_set(
    root: Path, app_settings: str, systems_settings: set[str]
) -> None:
    """The host resolves %NAME% from the app's settings alone: a default in our own code does not reach it."""
    bindings = (root / "tests/approved/functions.txt").read_text()

    assert (
        set(re.findall(r"%(\w+)%", bindings)) - set(SETTING.findall(app_settings)) - systems_settings == set()
    )


def test_nothing_is_set_that_nobody_reads(app_settings: str, systems_settings: set[str]) -> None:
    ours = {setting.name for setting in SETTINGS}
    hosts = {
        "AZURE_CLIENT_ID",
        # Read by adlfs: without it, it would ask for public containers and nobody's identity.
        "AZURE_STORAGE_ANON",
        "AzureWebJobsStorage__accountName",
        "AzureWebJobsStorage__clientId",
        "AzureWebJobsStorage__credential",
        "PYTHON_THREADPOOL_THREAD_COUNT",
        "ServiceBusConnection__clientId",
        "ServiceBusConnection__credential",
    }

    assert set(SETTING.findall(app_settings)) - ours - hosts == set()
    assert systems_settings - {setting.name for setting in known(SYSTEMS)[len(SETTINGS) :]} == set()


def test_the_app_reaches_everything_by_its_identity(app_settings: str) -> None:
    """E-04, X-01: no connection string but that of Application Insights, which opens nothing."""
    assert "ServiceBusConnection__fullyQualifiedNamespace: serviceBusHost" in app_settings
    assert (
        re.search(r"^      (?:ServiceBusConnection|AzureWebJobsStorage): ", app_settings, re.MULTILINE)
        is None
    )
    assert "mssql+pyodbc://@" in app_settings


def test_no_file_holds_or_asks_for_a_secret(infra: Path) -> None:
    words = re.compile(
        r"@secure|listKeys|listSecrets|password|AccessKey|AccountKey|clientSecret", re.IGNORECASE
    )
    found = {
        path.name: match[0]
        for path in [*infra.glob("*.bicep*"), *infra.glob("modules/*.bicep")]
        if (match := words.search(path.read_text()))
    }

    assert found == {}


def test_local_logins_are_shut(infra: Path) -> None:
    assert "disableLocalAuth: true" in (infra / "modules/servicebus.bicep").read_text()
    assert "azureADOnlyAuthentication: true" in (infra / "modules/sql.bicep").read_text()
    assert "allowSharedKeyAccess: false" in (infra / "modules/storage.bicep").read_text()
    assert "enableRbacAuthorization: true" in (infra / "modules/keyvault.bicep").read_text()


def test_the_app_runs_python(infra: Path) -> None:
    text = (infra / "modules/functions.bicep").read_text()

    assert re.search(r"runtime: \{\s+name: 'python'\s+version: pythonVersion", text)
    assert "tier: 'FlexConsumption'" in text


def test_the_queues_are_those_that_were_tested(infra: Path) -> None:
    """Every property of the queues file is passed on, but for the blank ones and the time to live."""
    text = (infra / "modules/servicebus.bicep").read_text()
    config = json.loads((infra / "servicebus/config.json").read_text())
    queues = config["UserConfig"]["Namespaces"][0]["Queues"]
    properties = {name for queue in queues for name, value in queue["Properties"].items() if value != ""}
    told = dict(re.findall(r"^        (\w+): queue\.Properties\.(\w+)$", text, re.MULTILINE))

    assert "loadJsonContent('../servicebus/config.json')" in text
    assert set(told.values()) == properties - {"DefaultMessageTimeToLive"}
    assert {name[0].upper() + name[1:] for name in told} == set(told.values())
    by_setting = {setting.name: setting.default for setting in SETTINGS}
    assert [queue["Name"] for queue in queues] == [by_setting["INBOUND_QUEUE"], by_setting["OUTBOUND_QUEUE"]]


def test_the_table_of_services_names_the_sources_services(infra: Path) -> None:
    """E-24: each service of the reference architecture is declared, or it is said why not."""
    page = (infra / "README.md").read_text()
    rows = re.findall(r"^\| ([^|]+) \| [^|]{10,} \| [^|]{5,} \| [^|]{5,} \|$", page, re.MULTILINE)
    services = {
        "Functions",
        "Service Bus",
        "Key Vault",
        "Application Insights",
        "SQL Database",
        "Data Lake",
        "Synapse",
        "Managed identity",
        "Dataverse",
        "Power Apps",
        "Dynamics 365",
    }

    assert {service for service in services if not any(service in row for row in rows)} == set()
