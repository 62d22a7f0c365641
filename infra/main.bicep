// Exports customer segments from blob storage to SendGrid contact lists: everything it needs in Azure.
// Deploy with infra/deploy.sh; docs/deploy.md explains the parameters, the permissions and the costs.

targetScope = 'resourceGroup'

@description('Start of every resource\'s name: lower-case letters and digits.')
@minLength(3)
@maxLength(8)
param name string = 'sgexport'

@description('Region; the resource group\'s own unless told otherwise.')
param location string = resourceGroup().location

@description('Tags for every resource.')
param tags object = {}

@description('`private` closes storage and vault to the internet and gives the app a network to reach them.')
@allowed([
  'public'
  'private'
])
param network string = 'public'

@description('Addresses of the private network, which must clash with nothing it will be peered with.')
param networkAddressPrefix string = '10.87.0.0/24'

@description('Addresses in it of the app\'s instances; at least a /27.')
param appSubnetPrefix string = '10.87.0.0/25'

@description('Addresses in it of the private endpoints; at least a /28.')
param endpointSubnetPrefix string = '10.87.0.128/25'

@description('Replication of the storage accounts: ZRS survives the loss of a zone, GRS that of a region.')
@allowed([
  'Standard_LRS'
  'Standard_ZRS'
  'Standard_GRS'
  'Standard_GZRS'
])
param storageSku string = 'Standard_LRS'

@description('True keeps app and accounts going when a zone of the region is lost, where the region has zones.')
param zoneRedundant bool = false

@description('Days that deleted and overwritten blobs can be brought back, and therefore still exist.')
@minValue(1)
@maxValue(365)
param softDeleteDays int = 7

@description('Days that the audit log is kept.')
@minValue(30)
param auditDays int = 400

@description('Days in which nobody can change or delete what the audit log says; 0: whoever owns the account can.')
@minValue(0)
@maxValue(146000)
param auditImmutableDays int = 0

@description('True records calls and sign-ins of the app too, where Azure has these logs for Flex Consumption.')
param recordApp bool = false

@description('True keeps accounts and vault from being deleted by mistake; needs the right to make locks.')
param lockData bool = false

@description('Days after which runs, with their counts and reasons, are forgotten.')
@minValue(30)
param runHistoryDays int = 400

@description('Container of everything the app keeps.')
param stateContainer string = 'sendgrid-exports'

@description('Container of the extracts.')
param extractContainer string = 'customerinsights'

@description('Folder of the extracts in their container; empty for the whole container.')
param extractPrefix string = ''

@description('Days that extracts are kept in the account that is made for them.')
@minValue(2)
param extractDays int = 30

@description('True makes that account a Data Lake Storage Gen2; cannot be changed once it is made.')
param extractHierarchicalNamespace bool = true

@description('True lets whoever has a key of that account read and write all extracts, whatever their roles.')
param extractAccountKeys bool = false

@description('Object ID of the service principal of Customer Insights, which may write extracts; empty: none may.')
param customerInsightsPrincipalId string = ''

@description('Account the extracts lie in when it is one of your own; empty: one is made for them.')
param extractStorageAccount string = ''

@description('Resource group of that account.')
param extractResourceGroup string = resourceGroup().name

@description('Subscription of that account.')
param extractSubscriptionId string = subscription().subscriptionId

@description('True has Event Grid tell the app of new extracts; with an account of your own its topic is yours to make.')
param extractEvents bool = empty(extractStorageAccount)

@description('Names of the Key Vault secrets the app may read; each must exist, but the first with `sendGridApiKey`.')
param secretNames array = ['sendgrid-api-key']

@description('Names of those of `secretNames` that administrators may store an API key in, through the app; empty: none.')
param secretWriters string[] = []

@description('SendGrid API key to store under the first of `secretNames`; empty leaves the vault\'s secrets alone.')
@secure()
param sendGridApiKey string = ''

@description('True brings back the vault of this resource group that was deleted: it cannot be made anew.')
param recoverVault bool = false

@description('NCRONTAB expression, in UTC, of how often the app looks for what is due and heals what stands still.')
param scheduleTick string = '*/30 * * * * *'

@description('Cron expression of the scheduled refresh, for example `30 6 * * *`; empty: off.')
param refreshSchedule string = ''

@description('IANA time zone of the scheduled refresh.')
param refreshTimeZone string = 'UTC'

@description('Hosts that notifications may go to although they are of your own network, each perhaps with a port.')
param notificationAllowedHosts string[] = []

@description('Application (client) ID of an Entra app registration; then callers need a token instead of a key.')
param entraClientId string = ''

@description('Role of each function key, by the name in front of its dot: a role, or { role: ..., export: ... }.')
param keyRoles object = {
  admin: 'Administrator'
}

@description('Most instances at once, for each function. SendGrid\'s limit is reached long before.')
@minValue(40)
@maxValue(1000)
param maximumInstanceCount int = 40

@description('Memory of an instance: 2048 for a million rows an extract, 4096 for ten million.')
@allowed([
  2048
  4096
])
param instanceMemoryMB int = 2048

@description('E-mail addresses that alerts and budget warnings go to.')
param alertEmails array = []

@description('How long may pass without a run that succeeded; by default two days if there is a refresh.')
@allowed([
  ''
  'PT6H'
  'P1D'
  'P2D'
])
param refreshExpectedWithin string = empty(refreshSchedule) ? '' : 'P2D'

@description('Budget of the resource group for a month, in the currency of the subscription; 0 for none.')
@minValue(0)
param monthlyBudget int = 50

@description('First day of the month from which the budget counts; deploy.sh keeps that of an earlier deployment.')
param budgetStartDate string = utcNow('yyyy-MM-01')

@description('Days that logs are kept.')
@minValue(30)
@maxValue(730)
param logRetentionDays int = 31

@description('Gigabytes of logs a day after which nothing more is taken in.')
@minValue(1)
param logDailyQuotaGb int = 1

@description('All parameters as deploy.sh gave them, for the next deployment to give again; no resource uses it.')
param keptParameters object = {}

var token = uniqueString(resourceGroup().id)
var openToInternet = network == 'public'
var extractsHere = empty(extractStorageAccount)
// An app that outlives a zone is of no use without storage that does.
var overZones = { Standard_LRS: 'Standard_ZRS', Standard_GRS: 'Standard_GZRS' }
var sku = zoneRedundant ? (overZones[?storageSku] ?? storageSku) : storageSku
var eventsQueue = 'extract-events'
var auditContainer = 'sendgrid-audit'
var login = environment().authentication.loginEndpoint
var appName = 'func-${name}-${token}'
var allTags = union(tags, { application: 'sendgrid-segment-export' })

module identity 'modules/identity.bicep' = {
  name: 'identity'
  params: {
    name: 'id-${name}-${token}'
    location: location
    tags: allTags
  }
}

module monitoring 'modules/monitoring.bicep' = {
  name: 'monitoring'
  params: {
    workspaceName: 'log-${name}-${token}'
    componentName: 'appi-${name}-${token}'
    location: location
    tags: allTags
    retentionDays: logRetentionDays
    dailyQuotaGb: logDailyQuotaGb
  }
}

module storage 'modules/storage.bicep' = {
  name: 'storage'
  params: {
    hostAccountName: take('st${name}host${token}', 24)
    dataAccountName: take('st${name}data${token}', 24)
    location: location
    tags: allTags
    sku: sku
    openToInternet: openToInternet
    packageContainer: 'app-package'
    stateContainer: stateContainer
    eventsFromEventGrid: extractEvents
    undeliveredContainer: 'undelivered-events'
    auditContainer: auditContainer
    auditDays: auditDays
    auditImmutableDays: auditImmutableDays
    runHistoryDays: runHistoryDays
    poisonDays: 30
    softDeleteDays: softDeleteDays
  }
}

module records 'modules/records.bicep' = {
  name: 'records'
  params: {
    workspaceId: monitoring.outputs.workspaceId
    hostAccountName: storage.outputs.hostAccountName
    dataAccountName: storage.outputs.dataAccountName
    extractAccountName: extractsHere ? extractAccount!.outputs.name : ''
    appName: recordApp ? app.outputs.name : ''
  }
}

module locks 'modules/locks.bicep' = if (lockData) {
  name: 'locks'
  params: {
    dataAccountName: storage.outputs.dataAccountName
    vaultName: vault.outputs.name
    extractAccountName: extractsHere ? extractAccount!.outputs.name : ''
  }
}

module vault 'modules/vault.bicep' = {
  name: 'vault'
  params: {
    name: take('kv-${name}-${token}', 24)
    location: location
    tags: allTags
    openToInternet: openToInternet
    recover: recoverVault
    secretName: empty(secretNames) ? 'sendgrid-api-key' : secretNames[0]
    apiKey: sendGridApiKey
    workspaceId: monitoring.outputs.workspaceId
  }
}

module roles 'modules/roles.bicep' = {
  name: 'roles'
  params: {
    principalId: identity.outputs.principalId
    hostAccountName: storage.outputs.hostAccountName
    dataAccountName: storage.outputs.dataAccountName
    stateContainer: stateContainer
    auditContainer: storage.outputs.auditContainer
    queueNames: storage.outputs.queueNames
    vaultName: vault.outputs.name
    secretNames: secretNames
    secretWriters: secretWriters
    componentName: monitoring.outputs.componentName
  }
}

module extractAccount 'modules/extract-account.bicep' = if (extractsHere) {
  name: 'extract-account'
  params: {
    name: take('st${name}extr${token}', 24)
    location: location
    tags: allTags
    sku: sku
    openToInternet: openToInternet
    hierarchicalNamespace: extractHierarchicalNamespace
    accountKeys: extractAccountKeys
    tellsEventGrid: extractEvents
    containerName: extractContainer
    days: extractDays
  }
}

module extracts 'modules/extracts.bicep' = {
  name: 'extracts'
  scope: resourceGroup(
    extractsHere ? subscription().subscriptionId : extractSubscriptionId,
    extractsHere ? resourceGroup().name : extractResourceGroup
  )
  params: {
    principalId: identity.outputs.principalId
    customerInsightsPrincipalId: customerInsightsPrincipalId
    accountName: extractsHere ? extractAccount!.outputs.name : extractStorageAccount
    containerName: extractContainer
  }
}

module events 'modules/events.bicep' = if (extractsHere && extractEvents) {
  name: 'events'
  params: {
    topicName: 'evgt-${name}-${token}'
    location: location
    tags: allTags
    extractAccountName: extractAccount!.outputs.name
    dataAccountName: storage.outputs.dataAccountName
    queueName: eventsQueue
    undeliveredContainer: storage.outputs.undeliveredContainer
    actionGroupId: alerts.outputs.actionGroupId
    prefix: name
  }
}

module subscriptionToEvents 'modules/subscription.bicep' = if (extractsHere && extractEvents) {
  name: 'subscription'
  // By then the rights of the topic's identity are known everywhere.
  dependsOn: [
    app
  ]
  params: {
    topicName: events!.outputs.topicName
    dataAccountId: storage.outputs.dataAccountId
    queueName: eventsQueue
    undeliveredContainer: storage.outputs.undeliveredContainer
    extractContainer: extractContainer
    extractPrefix: extractPrefix
  }
}

module privateNetwork 'modules/network.bicep' = if (!openToInternet) {
  name: 'network'
  params: {
    name: 'vnet-${name}-${token}'
    location: location
    tags: allTags
    addressPrefix: networkAddressPrefix
    appSubnetPrefix: appSubnetPrefix
    endpointSubnetPrefix: endpointSubnetPrefix
    targets: {
      host: storage.outputs.hostAccountId
      data: storage.outputs.dataAccountId
      extracts: extracts.outputs.accountId
      vault: vault.outputs.id
    }
  }
}

var settings = {
  // The Functions host's own storage, with the identity.
  AzureWebJobsStorage__credential: 'managedidentity'
  AzureWebJobsStorage__clientId: identity.outputs.clientId
  AzureWebJobsStorage__blobServiceUri: storage.outputs.hostBlobUri
  AzureWebJobsStorage__queueServiceUri: storage.outputs.hostQueueUri
  AzureWebJobsStorage__tableServiceUri: storage.outputs.hostTableUri
  // State and queues; the queue triggers use the same connection.
  DataStorage__credential: 'managedidentity'
  DataStorage__clientId: identity.outputs.clientId
  DataStorage__blobServiceUri: storage.outputs.dataBlobUri
  DataStorage__queueServiceUri: storage.outputs.dataQueueUri
  ExtractStorage__blobServiceUri: extracts.outputs.blobUri
  // azure-identity: this identity, and no trying of others.
  AZURE_CLIENT_ID: identity.outputs.clientId
  AZURE_TOKEN_CREDENTIALS: 'ManagedIdentityCredential'
  KEY_VAULT_URL: vault.outputs.uri
  STATE_CONTAINER: stateContainer
  EXTRACT_CONTAINER: extractContainer
  EXTRACT_PREFIX: extractPrefix
  AUDIT_CONTAINER: auditContainer
  // Who may call: holders of a key that has a role here, or those whose token has one.
  AUTHENTICATION: empty(entraClientId) ? 'keys' : 'entra'
  KEY_ROLES: empty(entraClientId) ? string(keyRoles) : '{}'
  ENTRA_TENANT_ID: tenant().tenantId
  ENTRA_CLIENT_ID: entraClientId
  ENTRA_AUTHORITY: endsWith(login, '/') ? take(login, length(login) - 1) : login
  SCHEDULE_TICK: scheduleTick
  REFRESH_SCHEDULE: refreshSchedule
  REFRESH_TIME_ZONE: refreshTimeZone
  // The console and the API store keys in these; the role is given in roles.bicep.
  SECRET_WRITERS: join(secretWriters, ',')
  NOTIFICATION_ALLOWED_HOSTS: join(notificationAllowedHosts, ',')
  // Otherwise a page of Microsoft's stands at /, for everybody.
  AzureWebJobsDisableHomepage: 'true'
  // One thread for each message that host.json lets a queue have in hand, and some; the host's default is 1,000.
  PYTHON_THREADPOOL_THREAD_COUNT: '16'
  APPLICATIONINSIGHTS_CONNECTION_STRING: monitoring.outputs.connectionString
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identity.outputs.clientId};Authorization=AAD'
}

module app 'modules/app.bicep' = {
  name: 'app'
  // The first start fails where the roles are not there yet.
  dependsOn: [
    roles
  ]
  params: {
    planName: 'plan-${name}-${token}'
    appName: appName
    location: location
    tags: allTags
    identityId: identity.outputs.id
    packageContainerUri: storage.outputs.packageContainerUri
    settings: settings
    maximumInstanceCount: maximumInstanceCount
    instanceMemoryMB: instanceMemoryMB
    zoneRedundant: zoneRedundant
    subnetId: openToInternet ? '' : privateNetwork!.outputs.appSubnetId
    entraClientId: entraClientId
  }
}

module alerts 'modules/alerts.bicep' = {
  name: 'alerts'
  params: {
    prefix: name
    location: location
    tags: allTags
    workspaceId: monitoring.outputs.workspaceId
    emails: alertEmails
    refreshExpectedWithin: refreshExpectedWithin
    monthlyBudget: monthlyBudget
    budgetStartDate: budgetStartDate
  }
}

module workbook 'modules/workbook.bicep' = {
  name: 'workbook'
  params: {
    displayName: 'Segment exports to SendGrid (${name})'
    location: location
    tags: allTags
    workspaceId: monitoring.outputs.workspaceId
  }
}

output functionAppName string = app.outputs.name
output functionAppUrl string = 'https://${app.outputs.hostName}'
output keyVaultName string = vault.outputs.name
output dataStorageAccount string = storage.outputs.dataAccountName
output extractStorageAccount string = extractsHere ? extractAccount!.outputs.name : extractStorageAccount
output hostStorageAccount string = storage.outputs.hostAccountName
output entraClientId string = entraClientId
output workbookId string = workbook.outputs.id
output keptParameters object = keptParameters
