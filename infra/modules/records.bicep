// Who asked what of storage and of the app goes to the workspace; the vault keeps its own record (vault.bicep).

@description('Workspace that keeps the records.')
param workspaceId string

param hostAccountName string

param dataAccountName string

@description('Account of the extracts; empty when it is not this deployment\'s.')
param extractAccountName string

@description('The app; empty leaves it out.')
param appName string

var blobCategories = [
  'StorageRead'
  'StorageWrite'
  'StorageDelete'
]

// Reads of queues are left out: the host asks each queue every second, which is 20 million lines a month that say
// nothing, and messages hold ids only.
var queueCategories = [
  'StorageWrite'
  'StorageDelete'
]

// https://learn.microsoft.com/azure/azure-monitor/reference/supported-logs/microsoft-web-sites-logs
var appCategories = [
  'FunctionAppLogs'
  'AppServiceHTTPLogs'
  'AppServiceAuthenticationLogs'
]

resource hostAccount 'Microsoft.Storage/storageAccounts@2025-01-01' existing = {
  name: hostAccountName

  resource blobs 'blobServices' existing = {
    name: 'default'
  }

  resource queues 'queueServices' existing = {
    name: 'default'
  }
}

resource dataAccount 'Microsoft.Storage/storageAccounts@2025-01-01' existing = {
  name: dataAccountName

  resource blobs 'blobServices' existing = {
    name: 'default'
  }

  resource queues 'queueServices' existing = {
    name: 'default'
  }
}

resource extractAccount 'Microsoft.Storage/storageAccounts@2025-01-01' existing = if (!empty(extractAccountName)) {
  name: extractAccountName

  resource blobs 'blobServices' existing = {
    name: 'default'
  }
}

resource app 'Microsoft.Web/sites@2025-03-01' existing = if (!empty(appName)) {
  name: appName
}

resource hostBlobs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: hostAccount::blobs
  name: 'audit'
  properties: {
    workspaceId: workspaceId
    logs: [
      for category in blobCategories: {
        category: category
        enabled: true
      }
    ]
  }
}

resource hostQueues 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: hostAccount::queues
  name: 'audit'
  properties: {
    workspaceId: workspaceId
    logs: [
      for category in queueCategories: {
        category: category
        enabled: true
      }
    ]
  }
}

resource dataBlobs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: dataAccount::blobs
  name: 'audit'
  properties: {
    workspaceId: workspaceId
    logs: [
      for category in blobCategories: {
        category: category
        enabled: true
      }
    ]
  }
}

resource dataQueues 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: dataAccount::queues
  name: 'audit'
  properties: {
    workspaceId: workspaceId
    logs: [
      for category in queueCategories: {
        category: category
        enabled: true
      }
    ]
  }
}

resource extractBlobs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = if (!empty(extractAccountName)) {
  scope: extractAccount::blobs
  name: 'audit'
  properties: {
    workspaceId: workspaceId
    logs: [
      for category in blobCategories: {
        category: category
        enabled: true
      }
    ]
  }
}

resource appRecords 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = if (!empty(appName)) {
  scope: app
  name: 'audit'
  properties: {
    workspaceId: workspaceId
    logs: [
      for category in appCategories: {
        category: category
        enabled: true
      }
    ]
  }
}
