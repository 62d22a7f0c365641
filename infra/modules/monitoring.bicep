param workspaceName string

param componentName string

param location string

param tags object

@description('Days that logs are kept; the first 31 are in the price of taking them in.')
param retentionDays int

@description('Gigabytes a day after which nothing more is taken in, so that a mistake cannot cost a fortune.')
param dailyQuotaGb int

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-02-01' = {
  name: workspaceName
  location: location
  tags: tags
  properties: {
    sku: {
      name: 'PerGB2018'
    }
    retentionInDays: retentionDays
    workspaceCapping: {
      dailyQuotaGb: dailyQuotaGb
    }
    features: {
      disableLocalAuth: true
      enableLogAccessUsingOnlyResourcePermissions: true
    }
  }
}

resource component 'Microsoft.Insights/components@2020-02-02' = {
  name: componentName
  location: location
  tags: tags
  kind: 'web'
  properties: {
    Application_Type: 'web'
    WorkspaceResourceId: workspace.id
    IngestionMode: 'LogAnalytics'
    // Only Entra identities may send telemetry, so the connection string below is an address and no secret.
    DisableLocalAuth: true
  }
}

output workspaceId string = workspace.id
output componentId string = component.id
output componentName string = component.name
output connectionString string = component.properties.ConnectionString
