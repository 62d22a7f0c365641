// What holds definitions, the audit log and keys is not deleted by mistake: whoever means it removes the lock first.

param dataAccountName string

param vaultName string

resource dataAccount 'Microsoft.Storage/storageAccounts@2025-01-01' existing = {
  name: dataAccountName
}

resource vault 'Microsoft.KeyVault/vaults@2026-02-01' existing = {
  name: vaultName
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
