// Where the legacy systems' credentials are kept. They are put there by a person or a rotation job, never from here.

@description('Required. Name of the vault: at most 24 characters.')
param name string

@description('Required. Where it lives.')
param location string

@description('Optional. Tags.')
param tags object = {}

resource vault 'Microsoft.KeyVault/vaults@2023-07-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    tenantId: tenant().tenantId
    sku: {
      family: 'A'
      name: 'standard'
    }
    enableRbacAuthorization: true
    enableSoftDelete: true
    enablePurgeProtection: true
  }
}

output name string = vault.name
output url string = vault.properties.vaultUri
