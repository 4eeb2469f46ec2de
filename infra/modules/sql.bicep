// The state: messages, lanes, shadows, crosswalk, journal. Only Entra identities get in; there is no SQL login.

@description('Required. Name of the server.')
param name string

@description('Required. Where it lives.')
param location string

@description('Optional. Tags.')
param tags object = {}

@description('Required. Name of the Entra group that administers it.')
param administratorsName string

@description('Required. Object id of that group.')
param administratorsObjectId string

@description('Required. Name of the database tier, for example S1 or GP_Gen5_2.')
param skuName string

@description('Optional. Name of the database.')
param databaseName string = 'tandem'

resource server 'Microsoft.Sql/servers@2023-08-01-preview' = {
  name: name
  location: location
  tags: tags
  properties: {
    minimalTlsVersion: '1.2'
    administrators: {
      administratorType: 'ActiveDirectory'
      azureADOnlyAuthentication: true
      login: administratorsName
      sid: administratorsObjectId
      principalType: 'Group'
      tenantId: tenant().tenantId
    }
  }

  // Azure's own way of writing "from inside Azure": the app has no fixed address without a network of its own.
  resource fromAzure 'firewallRules' = {
    name: 'AllowAllWindowsAzureIps'
    properties: {
      startIpAddress: '0.0.0.0'
      endIpAddress: '0.0.0.0'
    }
  }

  resource database 'databases' = {
    name: databaseName
    location: location
    tags: tags
    sku: { name: skuName }
  }
}

output host string = server.properties.fullyQualifiedDomainName
output database string = databaseName
