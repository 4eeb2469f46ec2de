// The app on a Flex Consumption plan, with every setting that shared/settings has no default for (a test checks).

@description('Required. Name of the app; part of its address.')
param name string

@description('Required. Where it lives.')
param location string

@description('Optional. Tags.')
param tags object = {}

@description('Required. Resource id of the identity.')
param identityId string

@description('Required. Client id of the identity.')
param identityClientId string

@description('Required. Connection string of Application Insights.')
param insightsConnectionString string

@description('Required. Name of the host\'s storage account.')
param storageName string

@description('Required. URL of the container that holds the app\'s package.')
param packagesUrl string

@description('Required. Host name of the Service Bus namespace.')
param serviceBusHost string

@description('Required. Name of the queue of changes into Dataverse.')
param inboundQueue string

@description('Required. Name of the queue of changes out of Dataverse.')
param outboundQueue string

@description('Required. Host name of the database server.')
param sqlHost string

@description('Required. Name of the database.')
param sqlDatabase string

@description('Required. URL of the key vault.')
param keyVaultUrl string

@description('Required. Base URL of the Dataverse organisation.')
param dataverseUrl string

@description('Required. Names our own writes are told of under: the application user\'s GUID, the integration in a legacy system.')
param ownNames string

@description('Required. Whether a new record of an owner who is no user waits: system/object=wait or fallback; blank as shipped.')
param ownerPolicies string

@description('Required. To whom it goes meanwhile: system/object=an address or a team; blank: the app\'s own user.')
param fallbackOwners string

@description('Required. Who decides that two rows are one customer: review (a person) or certain.')
param matchPolicy string

@description('Required. Which team gets which ticket: system/object=team, system=team, sender:name=team; blank: <system>-support.')
param ticketTeams string

@description('Required. Settings of the legacy systems, by their names in docs/reference/settings.md.')
param systemSettings object

@description('Required. Base URL of the ticket desk.')
param ticketsUrl string

@description('Required. Audience that callers\' tokens name.')
param authAudience string

@description('Required. When due retries are looked for.')
param retrySchedule string

@description('Required. When replay plans are looked for that have work.')
param planSchedule string

@description('Required. When unmatched owners are looked for among the users.')
param ownerSchedule string

@description('Required. When old payloads and metadata are forgotten.')
param purgeSchedule string

@description('Required. When both sides are compared with what was received.')
param gapSchedule string

@description('Required. When export drops are looked for (NCRONTAB).')
param dropSchedule string

@description('Required. When acknowledgements and pending writes are looked for (NCRONTAB).')
param importSchedule string

@description('Required. Scope of the tokens for the ticket desk.')
param ticketsScope string

@description('Required. Most instances of the app.')
param maximumInstanceCount int

@description('Optional. Version of Python.')
param pythonVersion string = '3.12'

var authority = '${environment().authentication.loginEndpoint}${tenant().tenantId}'

resource plan 'Microsoft.Web/serverfarms@2024-04-01' = {
  name: 'plan-${name}'
  location: location
  tags: tags
  kind: 'functionapp'
  sku: {
    name: 'FC1'
    tier: 'FlexConsumption'
  }
  properties: { reserved: true }
}

resource app 'Microsoft.Web/sites@2024-04-01' = {
  name: name
  location: location
  tags: tags
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${identityId}': {}
    }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    functionAppConfig: {
      runtime: {
        name: 'python'
        version: pythonVersion
      }
      scaleAndConcurrency: {
        maximumInstanceCount: maximumInstanceCount
        instanceMemoryMB: 2048
      }
      deployment: {
        storage: {
          type: 'blobContainer'
          value: packagesUrl
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identityId
          }
        }
      }
    }
    siteConfig: {
      minTlsVersion: '1.2'
    }
  }

  resource settings 'config' = {
    name: 'appsettings'
    properties: union(systemSettings, {
      // The host's own state, by identity.
      AzureWebJobsStorage__accountName: storageName
      AzureWebJobsStorage__credential: 'managedidentity'
      AzureWebJobsStorage__clientId: identityClientId
      PYTHON_THREADPOOL_THREAD_COUNT: '32'
      // Which identity azure-identity takes when the app has one of its own.
      AZURE_CLIENT_ID: identityClientId

      ServiceBusConnection__fullyQualifiedNamespace: serviceBusHost
      ServiceBusConnection__credential: 'managedidentity'
      ServiceBusConnection__clientId: identityClientId
      INBOUND_QUEUE: inboundQueue
      OUTBOUND_QUEUE: outboundQueue
      RETRY_SCHEDULE: retrySchedule
      PLAN_SCHEDULE: planSchedule
      OWNER_SCHEDULE: ownerSchedule
      PURGE_SCHEDULE: purgeSchedule
      GAP_SCHEDULE: gapSchedule
      SQL_URL: 'mssql+pyodbc://@${sqlHost}/${sqlDatabase}?driver=ODBC+Driver+18+for+SQL+Server&Encrypt=yes'
      DATAVERSE_URL: dataverseUrl
      OWN_NAMES: ownNames
      OWNER_POLICIES: ownerPolicies
      FALLBACK_OWNERS: fallbackOwners
      MATCH_POLICY: matchPolicy
      TICKET_TEAMS: ticketTeams
      KEY_VAULT_URL: keyVaultUrl
      // What reads the drops logs in as the app's identity, not as nobody.
      AZURE_STORAGE_ANON: 'false'
      DROP_SCHEDULE: dropSchedule
      IMPORT_SCHEDULE: importSchedule
      TICKETS_URL: ticketsUrl
      TICKETS_SCOPE: ticketsScope
      APPLICATIONINSIGHTS_CONNECTION_STRING: insightsConnectionString
      AUTH_ISSUER: '${authority}/v2.0'
      AUTH_AUDIENCE: authAudience
      AUTH_JWKS_URL: '${authority}/discovery/v2.0/keys'
    })
  }
}

output name string = app.name
output url string = 'https://${app.properties.defaultHostName}'
