// What the app may do, and why; that it reads extracts is in extracts.bicep. Nothing is granted on the resource group or
// the subscription.

@description('Object ID of the app\'s identity.')
param principalId string

param hostAccountName string

param dataAccountName string

@description('Container of everything the app keeps.')
param stateContainer string

@description('Container of the audit log.')
param auditContainer string

param queueNames array

param vaultName string

@description('Secrets the app may read; each must exist.')
param secretNames array

@description('Those of them that the app may write, too.')
param secretWriters string[]

param componentName string

var roles = loadJsonContent('../roles.json')

var granted = {
  hostBlobs: roles['Storage Blob Data Owner']
  hostTables: roles['Storage Table Data Contributor']
  keepState: roles['Storage Blob Data Contributor']
  appendAudit: roles['Storage Blob Data Contributor']
  useQueues: roles['Storage Queue Data Contributor']
  readSecret: roles['Key Vault Secrets User']
  writeSecret: roles['Key Vault Secrets Officer']
  sendTelemetry: roles['Monitoring Metrics Publisher']
}

resource hostAccount 'Microsoft.Storage/storageAccounts@2025-01-01' existing = {
  name: hostAccountName
}

resource dataAccount 'Microsoft.Storage/storageAccounts@2025-01-01' existing = {
  name: dataAccountName

  resource blobs 'blobServices' existing = {
    name: 'default'

    resource state 'containers' existing = {
      name: stateContainer
    }

    resource audit 'containers' existing = {
      name: auditContainer
    }
  }

  resource queueService 'queueServices' existing = {
    name: 'default'
  }
}

resource queues 'Microsoft.Storage/storageAccounts/queueServices/queues@2025-01-01' existing = [
  for queueName in queueNames: {
    parent: dataAccount::queueService
    name: queueName
  }
]

resource vault 'Microsoft.KeyVault/vaults@2026-02-01' existing = {
  name: vaultName
}

resource secrets 'Microsoft.KeyVault/vaults/secrets@2026-02-01' existing = [
  for secretName in secretNames: {
    parent: vault
    name: secretName
  }
]

resource writtenSecrets 'Microsoft.KeyVault/vaults/secrets@2026-02-01' existing = [
  for secretName in secretWriters: {
    parent: vault
    name: secretName
  }
]

resource component 'Microsoft.Insights/components@2020-02-02' existing = {
  name: componentName
}

// The host keeps its keys, timer leases and the deployment package in containers that it makes itself,
// and asks for Owner on the account: https://learn.microsoft.com/azure/azure-functions/functions-reference
resource hostBlobs 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(hostAccount.id, principalId, granted.hostBlobs)
  scope: hostAccount
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', granted.hostBlobs)
  }
}

// The host writes its diagnostic events to a table of its own; without this it only warns.
resource hostTables 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(hostAccount.id, principalId, granted.hostTables)
  scope: hostAccount
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', granted.hostTables)
  }
}

// Definitions, runs, chunks and results: read, written and deleted in this one container.
resource state 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(dataAccount::blobs::state.id, principalId, granted.keepState)
  scope: dataAccount::blobs::state
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', granted.keepState)
  }
}

// The audit log is read and appended to. To make a blob that is not there, and Append Block, need `add`; writing over a
// blob, deleting and moving it are what the condition takes away. A role of our own would need the right to define
// roles: https://learn.microsoft.com/rest/api/storageservices/append-block#authorization
resource audit 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(dataAccount::blobs::audit.id, principalId, granted.appendAudit)
  scope: dataAccount::blobs::audit
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', granted.appendAudit)
    conditionVersion: '2.0'
    condition: loadTextContent('../append-only.condition')
  }
}

// Queue by queue: the host receives, deletes and, while a function works, renews messages. Renewing is
// Update Message, which of the built-in roles only Contributor may; Message Processor may not.
resource queueRoles 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (queueName, index) in queueNames: {
    name: guid(dataAccount.id, queueName, principalId, granted.useQueues)
    scope: queues[index]
    properties: {
      principalId: principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', granted.useQueues)
    }
  }
]

// The SendGrid keys of its own connections, secret by secret; what else is in the vault stays out of reach.
resource secretRoles 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (secretName, index) in secretNames: {
    name: guid(vault.id, secretName, principalId, granted.readSecret)
    scope: secrets[index]
    properties: {
      principalId: principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', granted.readSecret)
    }
  }
]

// Keys that administrators store through the app, secret by secret. Of the built-in roles that may set a secret this is the
// smallest; it may delete this one, too, which the vault undoes for 90 days. A role of our own would need the right to
// define roles: https://learn.microsoft.com/azure/key-vault/general/rbac-guide
resource writerRoles 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (secretName, index) in secretWriters: {
    name: guid(vault.id, secretName, principalId, granted.writeSecret)
    scope: writtenSecrets[index]
    properties: {
      principalId: principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', granted.writeSecret)
    }
  }
]

// Application Insights takes telemetry from Entra identities with this role only.
resource telemetry 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(component.id, principalId, granted.sendTelemetry)
  scope: component
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', granted.sendTelemetry)
  }
}
