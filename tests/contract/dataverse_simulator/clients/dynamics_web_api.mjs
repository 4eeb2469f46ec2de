// Drives the npm client dynamics-web-api against a simulator; prints what it saw as JSON.
// Run with the client's node_modules as the working folder: node dynamics_web_api.mjs <http url>
import { createRequire } from "node:module";

const require = createRequire(process.cwd() + "/");
const { DynamicsWebApi } = require("dynamics-web-api");
const api = new DynamicsWebApi({
  serverUrl: process.argv[2],
  dataApi: { version: "9.2" },
  onTokenRefresh: async () => "opaque",
});
const seen = {};

const me = await api.callFunction({ name: "WhoAmI" });
seen.whoami = Object.keys(me).includes("UserId");

const account = await api.create({ collection: "accounts", data: { name: "One", telephone1: "1" } });
seen.update = await api.update({ collection: "accounts", key: account, data: { telephone1: "2" } });
seen.updateMissing = await api
  .update({ collection: "accounts", key: "00000000-0000-0000-0000-00000000dead", data: { name: "X" } })
  .catch((error) => error.status);
seen.retrieved = (await api.retrieve({ collection: "accounts", key: account, select: ["telephone1"] })).telephone1;
await api.upsert({ collection: "accounts", key: "tandem_sourcekey='K-1'", data: { name: "Key" } });
seen.byKey = (await api.retrieve({ collection: "accounts", key: "tandem_sourcekey='K-1'", select: ["name"] })).name;
seen.count = await api.count({ collection: "accounts" });
const updated = await api.updateSingleProperty({
  collection: "accounts",
  key: account,
  fieldValuePair: { telephone1: "3" },
});
seen.updateOne = updated === account;

const contact = await api.create({ collection: "contacts", data: { lastname: "P" } });
await api.associate({
  collection: "accounts",
  primaryKey: account,
  relationshipName: "contact_customer_accounts",
  relatedCollection: "contacts",
  relatedKey: contact,
});
await api.associateSingleValued({
  collection: "accounts",
  primaryKey: account,
  navigationProperty: "primarycontactid",
  relatedCollection: "contacts",
  relatedKey: contact,
});
const expanded = await api.retrieve({
  collection: "accounts",
  key: account,
  select: ["name"],
  expand: [
    { property: "primarycontactid", select: ["lastname"] },
    { property: "contact_customer_accounts", select: ["lastname"] },
  ],
});
seen.expanded = [expanded.primarycontactid.lastname, expanded.contact_customer_accounts.length];
await api.disassociateSingleValued({
  collection: "accounts",
  primaryKey: account,
  navigationProperty: "primarycontactid",
});

for (let number = 0; number < 5; number += 1) {
  await api.create({ collection: "leads", data: { subject: `L${number}`, lastname: "B" } });
}
const page = await api.retrieveMultiple({ collection: "leads", select: ["subject"], maxPageSize: 2 });
seen.page = [page.value.length, Boolean(page.oDataNextLink)];
const all = await api.retrieveAll({ collection: "leads", select: ["subject"], filter: "contains(subject,'L')" });
seen.all = all.value.length;

api.startBatch();
api.create({ collection: "accounts", data: { name: "B1" }, contentId: "1" });
api.create({ collection: "contacts", data: { lastname: "B2", "parentcustomerid_account@odata.bind": "$1" } });
const batch = await api.executeBatch();
seen.batch = batch.length;
api.startBatch();
api.retrieveMultiple({ collection: "contacts", select: ["lastname"], filter: "lastname eq 'B2'" });
api.create({ collection: "accounts", data: { nonsense: 1 }, inChangeSet: false });
seen.batchRead = await api.executeBatch({ continueOnError: true }).then(
  (answers) => answers.map((answer) => (answer.value ? answer.value.length : answer.status ?? "error")),
  (errors) => (Array.isArray(errors) ? errors.length : [errors.status]),
);

seen.error = await api
  .create({ collection: "accounts", data: { name: "x".repeat(200) } })
  .catch((error) => [error.status, error.code]);
seen.tracked = Object.keys(
  await api.retrieveMultiple({ collection: "accounts", select: ["name"], trackChanges: true }),
).includes("@odata.deltaLink");

const entity = await api.retrieveEntity({ key: "LogicalName='account'", select: ["EntitySetName"] });
seen.entity = entity.EntitySetName;
const attribute = await api.retrieveAttribute({
  entityKey: "LogicalName='lead'",
  attributeKey: "LogicalName='leadsourcecode'",
  castType: "Microsoft.Dynamics.CRM.PicklistAttributeMetadata",
  expand: [{ property: "OptionSet", select: ["Options"] }],
});
seen.options = attribute.OptionSet.Options.length;

const text = (label) => ({ LocalizedLabels: [{ Label: label, LanguageCode: 1033 }] });
const crm = "Microsoft.Dynamics.CRM.";
await api.createGlobalOptionSet({
  data: {
    "@odata.type": `${crm}OptionSetMetadata`,
    Name: "new_size",
    DisplayName: text("Size"),
    Options: [{ Value: 100000000, Label: text("Small") }],
  },
});
const choice = await api.retrieveGlobalOptionSet({ key: "Name='new_size'" });
await api.createAttribute({
  entityKey: "LogicalName='contact'",
  data: {
    "@odata.type": `${crm}PicklistAttributeMetadata`,
    SchemaName: "new_Size",
    DisplayName: text("Size"),
    "GlobalOptionSet@odata.bind": `/GlobalOptionSetDefinitions(${choice.MetadataId})`,
  },
});
await api.createAttribute({
  entityKey: "LogicalName='contact'",
  data: { "@odata.type": `${crm}FileAttributeMetadata`, SchemaName: "new_Paper", DisplayName: text("Paper") },
});
await api.createEntity({
  data: {
    "@odata.type": `${crm}EntityMetadata`,
    SchemaName: "new_Van",
    DisplayName: text("Van"),
    Attributes: [
      {
        "@odata.type": `${crm}StringAttributeMetadata`,
        SchemaName: "new_Name",
        IsPrimaryName: true,
        MaxLength: 40,
        DisplayName: text("Name"),
      },
    ],
  },
});
await api.createRelationship({
  data: {
    "@odata.type": `${crm}OneToManyRelationshipMetadata`,
    SchemaName: "new_van_contact",
    ReferencedEntity: "new_van",
    ReferencingEntity: "contact",
    Lookup: { SchemaName: "new_VanId", DisplayName: text("Van") },
  },
});
const van = await api.create({ collection: "new_vans", data: { new_name: "V" } });
const driver = await api.create({
  collection: "contacts",
  data: { lastname: "Driver", new_size: 100000000, "new_VanId@odata.bind": `/new_vans(${van})` },
  returnRepresentation: true,
});
const relationship = await api.retrieveRelationship({ key: "SchemaName='new_van_contact'" });
seen.metadata = [choice.Options.length, driver.new_size, relationship.ReferencingAttribute];

const bytes = Buffer.alloc(5 * 1024 * 1024, "x");
const paper = { collection: "contacts", key: driver.contactid, property: "new_paper" };
await api.uploadFile({ ...paper, fileName: "paper.bin", data: bytes });
const file = await api.downloadFile(paper);
seen.file = [file.fileName, file.fileSize, Buffer.compare(Buffer.from(file.data), bytes)];

const deal = await api.create({ collection: "opportunities", data: { name: "Deal" } });
await api.callAction({
  actionName: "WinOpportunity",
  action: { Status: 3, OpportunityClose: { subject: "Won", "opportunityid@odata.bind": `/opportunities(${deal})` } },
});
const won = await api.retrieve({ collection: "opportunities", key: deal, select: ["statecode"] });
const made = await api.callAction({
  collection: "accounts",
  actionName: `${crm}CreateMultiple`,
  action: { Targets: [1, 2, 3].map((at) => ({ "@odata.type": `${crm}account`, name: `M${at}` })) },
});
seen.actions = [won.statecode, made.Ids.length];

const versions = [];
const row = await api.retrieve({ collection: "accounts", key: made.Ids[0], select: ["name"] });
for (const ifmatch of [row["@odata.etag"], row["@odata.etag"]]) {
  versions.push(
    await api.update({ collection: "accounts", key: made.Ids[0], data: { name: "Newer" }, ifmatch }),
  );
}
seen.versions = versions;
seen.createOnly = await api.upsert({
  collection: "accounts",
  key: made.Ids[0],
  data: { name: "Never" },
  ifnonematch: "*",
});
seen.duplicate = await api
  .create({ collection: "accounts", data: { name: "Newer" }, duplicateDetection: true })
  .catch((error) => [error.status, error.code]);
seen.key = await api
  .create({ collection: "accounts", data: { name: "X", tandem_sourcekey: "K-1" } })
  .catch((error) => [error.status, error.code]);

const me2 = await api.callFunction({ name: "WhoAmI" });
const on = await api.create({
  collection: "accounts",
  data: { name: "On behalf" },
  impersonate: me2.UserId,
  returnRepresentation: true,
});
seen.impersonated = on._createdby_value === me2.UserId;
seen.fetch = await api
  .fetch({ collection: "accounts", fetchXml: '<fetch><entity name="account"/></fetch>' })
  .catch((error) => error.status);
seen.csdl = (await api.retrieveCsdlMetadata()).includes('<EntitySet Name="new_vans"');
seen.long = (
  await api.retrieveMultiple({
    collection: "accounts",
    select: ["name"],
    filter: Array.from({ length: 60 }, (_, at) => `name eq 'some rather long name of an account ${at}'`).join(" or "),
  })
).value.length;
seen.deleted = await api.deleteRecord({ collection: "accounts", key: account });
console.log(JSON.stringify(seen));
