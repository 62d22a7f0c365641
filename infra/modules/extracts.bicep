// Deployed to the resource group of the account where somebody else puts the extracts.

@description('Object ID of the app\'s identity.')
param principalId string

param accountName string

param containerName string

var roles = loadJsonContent('../roles.json')

var readExtracts = subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles['Storage Blob Data Reader'])

resource account 'Microsoft.Storage/storageAccounts@2025-01-01' existing = {
  name: accountName

  resource blobs 'blobServices' existing = {
    name: 'default'

    resource container 'containers' existing = {
      name: containerName
    }
  }
}

// Read, in this one container; the account stays its owner's.
resource read 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(account::blobs::container.id, principalId, readExtracts)
  scope: account::blobs::container
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: readExtracts
  }
}

output accountId string = account.id
output blobUri string = account.properties.primaryEndpoints.blob
