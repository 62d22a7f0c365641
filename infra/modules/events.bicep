// Event Grid watches the account of the extracts, as itself: an identity that may put messages into one queue, and what
// cannot be put there into one container. No key is exchanged, and no address has to answer.

param topicName string

param location string

param tags object

@description('Account whose blobs are watched.')
param extractAccountName string

@description('Account with the queue and the container.')
param dataAccountName string

@description('Queue that the events are put into.')
param queueName string

@description('Container of events that could not be delivered.')
param undeliveredContainer string

@description('Whom to tell of events that could not be delivered.')
param actionGroupId string

@description('Start of the alert\'s name.')
param prefix string

var roles = loadJsonContent('../roles.json')

var granted = {
  sendEvents: roles['Storage Queue Data Message Sender']
  keepUndelivered: roles['Storage Blob Data Contributor']
}

resource extractAccount 'Microsoft.Storage/storageAccounts@2025-01-01' existing = {
  name: extractAccountName
}

resource dataAccount 'Microsoft.Storage/storageAccounts@2025-01-01' existing = {
  name: dataAccountName

  resource queues 'queueServices' existing = {
    name: 'default'

    resource events 'queues' existing = {
      name: queueName
    }
  }

  resource blobs 'blobServices' existing = {
    name: 'default'

    resource undelivered 'containers' existing = {
      name: undeliveredContainer
    }
  }
}

// The identity must be the topic's own: no other passes a closed account.
// https://learn.microsoft.com/azure/event-grid/handler-storage-queues
resource topic 'Microsoft.EventGrid/systemTopics@2025-02-15' = {
  name: topicName
  location: location
  tags: tags
  identity: {
    type: 'SystemAssigned'
  }
  properties: {
    source: extractAccount.id
    topicType: 'Microsoft.Storage.StorageAccounts'
  }
}

resource send 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(dataAccount::queues::events.id, topic.id, granted.sendEvents)
  scope: dataAccount::queues::events
  properties: {
    principalId: topic.identity.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', granted.sendEvents)
  }
}

resource keepUndelivered 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(dataAccount::blobs::undelivered.id, topic.id, granted.keepUndelivered)
  scope: dataAccount::blobs::undelivered
  properties: {
    principalId: topic.identity.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', granted.keepUndelivered)
  }
}

// https://learn.microsoft.com/azure/event-grid/monitor-event-delivery
resource undelivered 'Microsoft.Insights/metricAlerts@2018-03-01' = {
  name: '${prefix}-events-undelivered'
  location: 'global'
  tags: tags
  properties: {
    description: 'Event Grid could not put an event into the queue for a day, or dropped it: exports start by the timer instead.'
    enabled: true
    severity: 2
    scopes: [
      topic.id
    ]
    evaluationFrequency: 'PT15M'
    windowSize: 'PT30M'
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
      allOf: [
        {
          criterionType: 'StaticThresholdCriterion'
          name: 'dead-lettered'
          metricName: 'DeadLetteredCount'
          operator: 'GreaterThan'
          threshold: 0
          timeAggregation: 'Total'
        }
      ]
    }
    actions: [
      {
        actionGroupId: actionGroupId
      }
    ]
  }
}

output topicName string = topic.name
