// What holds definitions, the audit log, keys and extracts is not deleted by mistake: whoever means it removes the lock
// first. What is in the accounts can still be deleted.

param dataAccountName string

param vaultName string

@description('Account of the extracts; empty when it is not this deployment\'s.')
param extractAccountName string

resource dataAccount 'Microsoft.Storage/storageAccounts@2025-01-01' existing = {
  name: dataAccountName
}

resource vault 'Microsoft.KeyVault/vaults@2026-02-01' existing = {
  name: vaultName
}

resource extractAccount 'Microsoft.Storage/storageAccounts@2025-01-01' existing = if (!empty(extractAccountName)) {
  name: extractAccountName
}

resource dataLock 'Microsoft.Authorization/locks@2020-05-01' = {
  scope: dataAccount
  name: 'not-by-mistake'
  properties: {
    level: 'CanNotDelete'
    notes: 'Holds the definitions, the runs and the audit log of the exports to SendGrid.'
  }
}

resource vaultLock 'Microsoft.Authorization/locks@2020-05-01' = {
  scope: vault
  name: 'not-by-mistake'
  properties: {
    level: 'CanNotDelete'
    notes: 'Holds the keys to SendGrid.'
  }
}

resource extractLock 'Microsoft.Authorization/locks@2020-05-01' = if (!empty(extractAccountName)) {
  scope: extractAccount
  name: 'not-by-mistake'
  properties: {
    level: 'CanNotDelete'
    notes: 'Customer Insights delivers into it, through links that somebody approved.'
  }
}
