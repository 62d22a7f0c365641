@description('Name of the identity the app runs as.')
param name string

param location string

param tags object

// User-assigned, so that it exists, and has its roles, before the app's first start.
resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: name
  location: location
  tags: tags
}

output name string = identity.name
output id string = identity.id
output clientId string = identity.properties.clientId
output principalId string = identity.properties.principalId
