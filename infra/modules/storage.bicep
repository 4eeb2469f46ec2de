// What the Functions host keeps for itself: the app's package, timer schedules, leases. No business data.

@description('Required. Name of the account: 3 to 24 lower-case letters and digits.')
param name string

@description('Required. Where it lives.')
param location string

@description('Optional. Tags.')
param tags object = {}

var packages = 'packages'

resource account 'Microsoft.Storage/storageAccounts@2023-05-01' = {
  name: name
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: { name: 'Standard_LRS' }
  properties: {
    allowBlobPublicAccess: false
    allowSharedKeyAccess: false
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
  }

  resource blobs 'blobServices' = {
    name: 'default'

    resource container 'containers' = {
      name: packages
      properties: { publicAccess: 'None' }
    }
  }
}

output name string = account.name
output packagesUrl string = '${account.properties.primaryEndpoints.blob}${packages}'
