// Application Insights on a Log Analytics workspace.

@description('Required. Name shared by the workspace and the component.')
param name string

@description('Required. Where they live.')
param location string

@description('Optional. Tags.')
param tags object = {}

@description('Optional. Days that telemetry is kept. What became of a message is in SQL, not here.')
param retentionInDays int = 30

resource workspace 'Microsoft.OperationalInsights/workspaces@2023-09-01' = {
  name: 'log-${name}'
  location: location
  tags: tags
  properties: {
    sku: { name: 'PerGB2018' }
    retentionInDays: retentionInDays
  }
}

resource insights 'Microsoft.Insights/components@2020-02-02' = {
  name: 'appi-${name}'
  location: location
  tags: tags
  kind: 'web'
  properties: {
    Application_Type: 'web'
    WorkspaceResourceId: workspace.id
  }
}

output connectionString string = insights.properties.ConnectionString
