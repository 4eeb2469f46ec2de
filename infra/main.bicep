// What one environment of Tandem is made of. infra/README.md says what each part does, what stands in for it
// locally, and what it costs. Nothing here holds a secret: every client is the one managed identity.

targetScope = 'resourceGroup'

@description('Required. Short name of the environment, part of every resource name: dev, test, prod.')
@minLength(2)
@maxLength(6)
param environmentName string

@description('Optional. Where the resources live.')
param location string = resourceGroup().location

@description('Required. Base URL of the Dataverse organisation, without a slash at the end.')
param dataverseUrl string

@description('Required. Names our own writes are told of under: the application user\'s GUID, the integration in a legacy system.')
param ownNames string

@description('Required. Settings of the legacy systems, by their names in docs/reference/settings.md: address, name of the key\'s secret, schedule of the feed; drops and imports, where files are exchanged.')
param systemSettings object

@description('Required. Base URL of the ticket desk.')
param ticketsUrl string

@description('Optional. Scope of the tokens for it.')
param ticketsScope string = 'api://tickets/.default'

@description('Required. Audience that the tokens of senders and operators name: the app registration of the API.')
param authAudience string

@description('Required. Name of the Entra group that administers the database.')
param sqlAdministratorsName string

@description('Required. Object id of that group.')
param sqlAdministratorsObjectId string

@description('Optional. Name of the database tier.')
param sqlSkuName string = 'S1'

@description('Optional. Tier of the Service Bus namespace. Standard has sessions; Premium adds private networking.')
@allowed(['Standard', 'Premium'])
param serviceBusTier string = 'Standard'

@description('Optional. How long a message may wait in its queue (ISO 8601). The emulator allows an hour at most.')
param messageTimeToLive string = 'P14D'

@description('Optional. Most instances of the app. Each works on up to 32 records per queue at once (host.json).')
@minValue(40)
@maxValue(1000)
param maximumInstanceCount int = 40

@description('Optional. Whether a new record of an owner who is no user waits: system/object=wait or fallback; blank as shipped.')
param ownerPolicies string = ''

@description('Optional. To whom it goes meanwhile: system/object=an address or a team; blank: the app\'s own user.')
param fallbackOwners string = ''

@description('Optional. Who decides that two rows are one customer: review (a person) or certain.')
param matchPolicy string = 'review'

@description('Optional. Which team gets which ticket: system/object=team, system=team, sender:name=team; blank: <system>-support.')
param ticketTeams string = ''

@description('Optional. When retries, decisions on their way and tickets are seen to (six-field NCRONTAB).')
param retrySchedule string = '*/15 * * * * *'

@description('Optional. When replay plans are looked for that have work (six-field NCRONTAB).')
param planSchedule string = '*/5 * * * * *'

@description('Optional. When unmatched owners are looked for among the users (six-field NCRONTAB).')
param ownerSchedule string = '0 * * * * *'

@description('Optional. When old payloads and metadata are forgotten (six-field NCRONTAB, UTC).')
param purgeSchedule string = '0 0 3 * * *'

@description('When both sides are compared with what was received (six-field NCRONTAB).')
param gapSchedule string = '0 */15 * * * *'

@description('Optional. When export drops are looked for (NCRONTAB).')
param dropSchedule string = '0 */5 * * * *'

@description('Optional. When acknowledgements and pending writes are looked for (NCRONTAB).')
param importSchedule string = '0 */5 * * * *'

@description('Optional. Tags for every resource.')
param tags object = {}

var suffix = uniqueString(resourceGroup().id)
var allTags = union({ application: 'tandem', environment: environmentName }, tags)

module identity 'modules/identity.bicep' = {
  name: 'identity'
  params: {
    name: 'id-tandem-${environmentName}'
    location: location
    tags: allTags
  }
}

module monitoring 'modules/monitoring.bicep' = {
  name: 'monitoring'
  params: {
    name: 'tandem-${environmentName}'
    location: location
    tags: allTags
  }
}

module storage 'modules/storage.bicep' = {
  name: 'storage'
  params: {
    name: take('sttandem${environmentName}${suffix}', 24)
    location: location
    tags: allTags
  }
}

module serviceBus 'modules/servicebus.bicep' = {
  name: 'servicebus'
  params: {
    name: 'sb-tandem-${environmentName}-${suffix}'
    location: location
    tags: allTags
    tier: serviceBusTier
    messageTimeToLive: messageTimeToLive
  }
}

module keyVault 'modules/keyvault.bicep' = {
  name: 'keyvault'
  params: {
    name: take('kv-tandem-${environmentName}-${suffix}', 24)
    location: location
    tags: allTags
  }
}

module sql 'modules/sql.bicep' = {
  name: 'sql'
  params: {
    name: 'sql-tandem-${environmentName}-${suffix}'
    location: location
    tags: allTags
    administratorsName: sqlAdministratorsName
    administratorsObjectId: sqlAdministratorsObjectId
    skuName: sqlSkuName
  }
}

module rbac 'modules/rbac.bicep' = {
  name: 'rbac'
  params: {
    principalId: identity.outputs.principalId
    serviceBusName: serviceBus.outputs.name
    keyVaultName: keyVault.outputs.name
    storageName: storage.outputs.name
  }
}

module functions 'modules/functions.bicep' = {
  name: 'functions'
  // Without its roles the app cannot read its own package.
  dependsOn: [rbac]
  params: {
    name: 'func-tandem-${environmentName}-${suffix}'
    location: location
    tags: allTags
    identityId: identity.outputs.id
    identityClientId: identity.outputs.clientId
    insightsConnectionString: monitoring.outputs.connectionString
    storageName: storage.outputs.name
    packagesUrl: storage.outputs.packagesUrl
    serviceBusHost: serviceBus.outputs.host
    inboundQueue: serviceBus.outputs.inboundQueue
    outboundQueue: serviceBus.outputs.outboundQueue
    sqlHost: sql.outputs.host
    sqlDatabase: sql.outputs.database
    keyVaultUrl: keyVault.outputs.url
    dataverseUrl: dataverseUrl
    ownNames: ownNames
    ownerPolicies: ownerPolicies
    fallbackOwners: fallbackOwners
    matchPolicy: matchPolicy
    ticketTeams: ticketTeams
    systemSettings: systemSettings
    ticketsUrl: ticketsUrl
    authAudience: authAudience
    retrySchedule: retrySchedule
    planSchedule: planSchedule
    ownerSchedule: ownerSchedule
    purgeSchedule: purgeSchedule
    gapSchedule: gapSchedule
    dropSchedule: dropSchedule
    importSchedule: importSchedule
    ticketsScope: ticketsScope
    maximumInstanceCount: maximumInstanceCount
  }
}

@description('Name to publish to: func azure functionapp publish <name>.')
output functionAppName string = functions.outputs.name

@description('Base URL of the HTTP doors.')
output functionAppUrl string = functions.outputs.url

@description('Name of the identity, for CREATE USER in the database and the application user in Dataverse.')
output identityName string = identity.outputs.name

@description('Application (client) id of the identity.')
output identityClientId string = identity.outputs.clientId
