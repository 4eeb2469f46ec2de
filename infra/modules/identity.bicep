// The one identity of the app, kept apart from it so that roles and database users outlive a new app.

@description('Required. Name of the identity.')
param name string

@description('Required. Where it lives.')
param location string

@description('Optional. Tags.')
param tags object = {}

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2023-01-31' = {
  name: name
  location: location
  tags: tags
}

output id string = identity.id
output name string = identity.name
output principalId string = identity.properties.principalId
output clientId string = identity.properties.clientId
