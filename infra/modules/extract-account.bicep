// An account for extracts alone, as Customer Insights wants it: its exports fail where deleted blobs come back, and its
// export to Data Lake Storage Gen2 signs in as Microsoft's own application. Nothing else is put here.
// https://learn.microsoft.com/dynamics365/customer-insights/data/export-azure-blob-storage

param name string

param location string

param tags object

param sku string

@description('False closes the account to the internet.')
param openToInternet bool

@description('True has folders that are more than parts of names; cannot be changed once the account is made.')
param hierarchicalNamespace bool

@description('True lets whoever has a key of the account read and write everything in it.')
param accountKeys bool

@description('True lets Event Grid, a trusted service of Azure, reach the closed account.')
param tellsEventGrid bool

@description('Container of the extracts.')
param containerName string

@description('Days after which deliveries are deleted.')
param days int

resource account 'Microsoft.Storage/storageAccounts@2025-01-01' = {
  name: name
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
    allowSharedKeyAccess: accountKeys
    defaultToOAuthAuthentication: true
    isHnsEnabled: hierarchicalNamespace
    minimumTlsVersion: 'TLS1_2'
    networkAcls: openToInternet
      ? null
      : {
          defaultAction: 'Deny'
          bypass: tellsEventGrid ? 'AzureServices' : 'None'
        }
    publicNetworkAccess: openToInternet ? 'Enabled' : 'Disabled'
    supportsHttpsTrafficOnly: true
  }
}

// Off, all of it: exports fail otherwise, and what is deleted here is gone.
resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2025-01-01' = {
  parent: account
  name: 'default'
  properties: {
    containerDeleteRetentionPolicy: {
      enabled: false
    }
    deleteRetentionPolicy: {
      enabled: false
    }
    isVersioningEnabled: false
  }
}

resource container 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-01-01' = {
  parent: blobs
  name: containerName
  properties: {
    publicAccess: 'None'
  }
}

resource lifecycle 'Microsoft.Storage/storageAccounts/managementPolicies@2025-01-01' = {
  parent: account
  name: 'default'
  dependsOn: [
    blobs
  ]
  properties: {
    policy: {
      rules: [
        {
          name: 'forget-deliveries'
          type: 'Lifecycle'
          enabled: true
          definition: {
            filters: {
              blobTypes: [
                'blockBlob'
                'appendBlob'
              ]
              prefixMatch: [
                '${containerName}/'
              ]
            }
            actions: {
              baseBlob: {
                delete: {
                  daysAfterModificationGreaterThan: days
                }
              }
            }
          }
        }
      ]
    }
  }
}

output name string = account.name
