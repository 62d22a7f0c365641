// Two accounts, because the Functions host must own every blob of its account (keys, leases, the package),
// and nothing that owns a whole account should be where the people's data is.

@description('Name of the account of the Functions host: its keys, leases and the deployment package.')
param hostAccountName string

@description('Name of the account with the state and the queues.')
param dataAccountName string

param location string

param tags object

@description('Replication of both accounts.')
param sku string

@description('False closes both accounts to the internet.')
param openToInternet bool

@description('Container of the deployment package.')
param packageContainer string

@description('Container of everything the app keeps.')
param stateContainer string

@description('True lets Event Grid, a trusted service of Azure, reach the closed data account.')
param eventsFromEventGrid bool

@description('Container of events that Event Grid could not deliver.')
param undeliveredContainer string

@description('Container of the audit log.')
param auditContainer string

@description('Days that the audit log is kept.')
param auditDays int

@description('Days in which nobody can change or delete what the audit log says; 0 for none.')
param auditImmutableDays int

@description('Days after which runs, with their counts and reasons, are forgotten.')
param runHistoryDays int

@description('Days a message that failed too often, or an event that was not delivered, is kept for diagnosis.')
param poisonDays int

@description('Days that deleted and overwritten blobs can be brought back, and therefore still exist.')
param softDeleteDays int

// The queues of shared/model/messages.py; the host moves a message that keeps failing to the `-poison` one.
var queueNames = [
  'runs'
  'runs-poison'
  'chunks'
  'chunks-poison'
  'imports'
  'imports-poison'
  'extract-events'
  'extract-events-poison'
  'notifications'
  'notifications-poison'
]

var closed = {
  defaultAction: 'Deny'
  bypass: 'None'
}

// Event Grid passes the closed account as a trusted service, and needs its role there all the same:
// https://learn.microsoft.com/azure/event-grid/handler-storage-queues
var closedToAllButEvents = {
  defaultAction: 'Deny'
  bypass: eventsFromEventGrid ? 'AzureServices' : 'None'
}

resource hostAccount 'Microsoft.Storage/storageAccounts@2025-01-01' = {
  name: hostAccountName
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: {
    name: sku
  }
  properties: {
    accessTier: 'Hot'
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    allowSharedKeyAccess: false
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    networkAcls: openToInternet ? null : closed
    publicNetworkAccess: openToInternet ? 'Enabled' : 'Disabled'
    supportsHttpsTrafficOnly: true
  }
}

resource hostBlobs 'Microsoft.Storage/storageAccounts/blobServices@2025-01-01' = {
  parent: hostAccount
  name: 'default'
  properties: {
    containerDeleteRetentionPolicy: {
      enabled: true
      days: softDeleteDays
    }
    deleteRetentionPolicy: {
      enabled: true
      days: softDeleteDays
    }
  }
}

resource package 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-01-01' = {
  parent: hostBlobs
  name: packageContainer
  properties: {
    publicAccess: 'None'
  }
}

// The last packages that were published, for deploy.sh --rollback; the platform itself keeps the newest only.
resource keptPackages 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-01-01' = {
  parent: hostBlobs
  name: 'packages'
  properties: {
    publicAccess: 'None'
  }
}

resource dataAccount 'Microsoft.Storage/storageAccounts@2025-01-01' = {
  name: dataAccountName
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: {
    name: sku
  }
  properties: {
    accessTier: 'Hot'
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    allowSharedKeyAccess: false
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    networkAcls: openToInternet ? null : closedToAllButEvents
    publicNetworkAccess: openToInternet ? 'Enabled' : 'Disabled'
    supportsHttpsTrafficOnly: true
  }
}

resource dataBlobs 'Microsoft.Storage/storageAccounts/blobServices@2025-01-01' = {
  parent: dataAccount
  name: 'default'
  properties: {
    containerDeleteRetentionPolicy: {
      enabled: true
      days: softDeleteDays
    }
    deleteRetentionPolicy: {
      enabled: true
      days: softDeleteDays
    }
  }
}

resource state 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-01-01' = {
  parent: dataBlobs
  name: stateContainer
  properties: {
    publicAccess: 'None'
  }
}

resource undelivered 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-01-01' = {
  parent: dataBlobs
  name: undeliveredContainer
  properties: {
    publicAccess: 'None'
  }
}

resource audit 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-01-01' = {
  parent: dataBlobs
  name: auditContainer
  properties: {
    publicAccess: 'None'
  }
}

// Append blobs may still grow. Unlocked, so that a mistake in the number of days can be undone; to lock it is for good:
// https://learn.microsoft.com/azure/storage/blobs/immutable-time-based-retention-policy-overview
resource auditPolicy 'Microsoft.Storage/storageAccounts/blobServices/containers/immutabilityPolicies@2025-01-01' = if (auditImmutableDays > 0) {
  parent: audit
  name: 'default'
  properties: {
    immutabilityPeriodSinceCreationInDays: auditImmutableDays
    allowProtectedAppendWrites: true
  }
}

resource queueService 'Microsoft.Storage/storageAccounts/queueServices@2025-01-01' = {
  parent: dataAccount
  name: 'default'
}

resource queues 'Microsoft.Storage/storageAccounts/queueServices/queues@2025-01-01' = [
  for queueName in queueNames: {
    parent: queueService
    name: queueName
  }
]

// The app itself deletes chunks as soon as they are sent, and what is left of them a week after the run
// (RETENTION in shared/limits.py); a rule here could not tell them apart, since its prefixes take no wildcards.
resource lifecycle 'Microsoft.Storage/storageAccounts/managementPolicies@2025-01-01' = {
  parent: dataAccount
  name: 'default'
  dependsOn: [
    dataBlobs
  ]
  properties: {
    policy: {
      rules: [
        {
          name: 'forget-runs'
          type: 'Lifecycle'
          enabled: true
          definition: {
            filters: {
              blobTypes: [
                'blockBlob'
              ]
              prefixMatch: [
                '${stateContainer}/runs/'
                '${stateContainer}/requests/'
              ]
            }
            actions: {
              baseBlob: {
                delete: {
                  daysAfterModificationGreaterThan: runHistoryDays
                }
              }
            }
          }
        }
        {
          name: 'forget-audit-log'
          type: 'Lifecycle'
          enabled: true
          definition: {
            filters: {
              blobTypes: [
                'appendBlob'
              ]
              prefixMatch: [
                '${auditContainer}/'
              ]
            }
            actions: {
              baseBlob: {
                delete: {
                  daysAfterModificationGreaterThan: auditDays
                }
              }
            }
          }
        }
        {
          name: 'forget-poison-messages'
          type: 'Lifecycle'
          enabled: true
          definition: {
            filters: {
              blobTypes: [
                'blockBlob'
              ]
              prefixMatch: [
                '${stateContainer}/poison/'
                '${undeliveredContainer}/'
              ]
            }
            actions: {
              baseBlob: {
                delete: {
                  daysAfterModificationGreaterThan: poisonDays
                }
              }
            }
          }
        }
      ]
    }
  }
}

output hostAccountId string = hostAccount.id
output hostAccountName string = hostAccount.name
output hostBlobUri string = hostAccount.properties.primaryEndpoints.blob
output hostQueueUri string = hostAccount.properties.primaryEndpoints.queue
output hostTableUri string = hostAccount.properties.primaryEndpoints.table
output packageContainerUri string = '${hostAccount.properties.primaryEndpoints.blob}${package.name}'
output dataAccountId string = dataAccount.id
output dataAccountName string = dataAccount.name
output dataBlobUri string = dataAccount.properties.primaryEndpoints.blob
output dataQueueUri string = dataAccount.properties.primaryEndpoints.queue
output auditContainer string = audit.name
output undeliveredContainer string = undelivered.name
output queueNames array = [for (queueName, index) in queueNames: queues[index].name]
