// Who may read the extracts, and who may write them. Deployed to the resource group of their account.

@description('Object ID of the app\'s identity.')
param principalId string

@description('Object ID of Customer Insights\' service principal; empty: it is granted nothing.')
param customerInsightsPrincipalId string

param accountName string

param containerName string

var roles = loadJsonContent('../roles.json')

var granted = {
  readExtracts: roles['Storage Blob Data Reader']
  writeExtracts: roles['Storage Blob Data Contributor']
  delegate: roles['Storage Blob Delegator']
}

resource account 'Microsoft.Storage/storageAccounts@2025-01-01' existing = {
  name: accountName

  resource blobs 'blobServices' existing = {
    name: 'default'

    resource container 'containers' existing = {
      name: containerName
    }
  }
}

// The app reads, in this one container.
resource read 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(account::blobs::container.id, principalId, granted.readExtracts)
  scope: account::blobs::container
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', granted.readExtracts)
  }
}

// Customer Insights writes, in this one container. It asks for the account, or for the container and the right to sign
// addresses with its own rights on the account, which is less:
// https://learn.microsoft.com/dynamics365/customer-insights/data/connect-service-principal
resource write 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(customerInsightsPrincipalId)) {
  name: guid(account::blobs::container.id, customerInsightsPrincipalId, granted.writeExtracts)
  scope: account::blobs::container
  properties: {
    principalId: customerInsightsPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', granted.writeExtracts)
  }
}

resource delegate 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(customerInsightsPrincipalId)) {
  name: guid(account.id, customerInsightsPrincipalId, granted.delegate)
  scope: account
  properties: {
    principalId: customerInsightsPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', granted.delegate)
  }
}

output accountId string = account.id
output blobUri string = account.properties.primaryEndpoints.blob
