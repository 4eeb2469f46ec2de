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
seen.deleted = await api.deleteRecord({ collection: "accounts", key: account });
console.log(JSON.stringify(seen));
