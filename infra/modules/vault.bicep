param name string

param location string

param tags object

@description('False closes the vault to the internet.')
param openToInternet bool

@description('True brings back the vault of that name which was deleted and, being protected, could not be purged.')
param recover bool

@description('Name of the secret that `apiKey` becomes.')
param secretName string

@description('SendGrid API key to store; empty leaves the vault\'s secrets as they are.')
@secure()
param apiKey string

@description('Workspace that keeps who read which secret, and when.')
param workspaceId string

resource vault 'Microsoft.KeyVault/vaults@2026-02-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    tenantId: tenant().tenantId
    createMode: recover ? 'recover' : 'default'
    sku: {
      family: 'A'
      name: 'standard'
    }
    enableRbacAuthorization: true
    enablePurgeProtection: true
    enableSoftDelete: true
    softDeleteRetentionInDays: 90
    enabledForDeployment: false
    enabledForDiskEncryption: false
    enabledForTemplateDeployment: false
    networkAcls: {
      defaultAction: openToInternet ? 'Allow' : 'Deny'
      bypass: 'None'
    }
    publicNetworkAccess: openToInternet ? 'Enabled' : 'Disabled'
  }
}

// Written through Resource Manager, so it also works when the vault is closed to whoever deploys.
resource key 'Microsoft.KeyVault/vaults/secrets@2026-02-01' = if (!empty(apiKey)) {
  parent: vault
  name: secretName
  properties: {
    value: apiKey
    contentType: 'SendGrid API key'
    attributes: {
      enabled: true
    }
  }
}

resource audit 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: vault
  name: 'audit'
  properties: {
    workspaceId: workspaceId
    logs: [
      {
        categoryGroup: 'audit'
        enabled: true
      }
    ]
  }
}

output id string = vault.id
output name string = vault.name
output uri string = vault.properties.vaultUri
