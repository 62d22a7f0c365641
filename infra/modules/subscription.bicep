// What Event Grid tells the app: that a blob below the extracts' folder is whole. Deployed last, when the rights of the
// topic's identity (events.bicep) are minutes old and known everywhere.

param topicName string

@description('ID of the account with the queue and the container.')
param dataAccountId string

param queueName string

param undeliveredContainer string

@description('Container of the extracts.')
param extractContainer string

@description('Folder of the extracts in it; empty for the whole container.')
param extractPrefix string

// As the app reads EXTRACT_PREFIX: a folder, never the start of a name.
var folder = empty(extractPrefix) || endsWith(extractPrefix, '/') ? extractPrefix : '${extractPrefix}/'

resource topic 'Microsoft.EventGrid/systemTopics@2025-02-15' existing = {
  name: topicName
}

resource subscription 'Microsoft.EventGrid/systemTopics/eventSubscriptions@2025-02-15' = {
  parent: topic
  name: 'extract-events'
  properties: {
    eventDeliverySchema: 'CloudEventSchemaV1_0'
    deliveryWithResourceIdentity: {
      identity: {
        type: 'SystemAssigned'
      }
      destination: {
        endpointType: 'StorageQueue'
        properties: {
          resourceId: dataAccountId
          queueName: queueName
          queueMessageTimeToLiveInSeconds: 7 * 24 * 60 * 60
        }
      }
    }
    deadLetterWithResourceIdentity: {
      identity: {
        type: 'SystemAssigned'
      }
      deadLetterDestination: {
        endpointType: 'StorageBlob'
        properties: {
          resourceId: dataAccountId
          blobContainerName: undeliveredContainer
        }
      }
    }
    filter: {
      includedEventTypes: [
        'Microsoft.Storage.BlobCreated'
      ]
      subjectBeginsWith: '/blobServices/default/containers/${extractContainer}/blobs/${folder}'
      isSubjectCaseSensitive: true
      // The calls after which a blob is whole; an upload makes events before them, too.
      // https://learn.microsoft.com/azure/event-grid/event-schema-blob-storage
      advancedFilters: [
        {
          operatorType: 'StringIn'
          key: 'data.api'
          values: [
            'PutBlob'
            'PutBlockList'
            'CopyBlob'
            'FlushWithClose'
          ]
        }
      ]
    }
    retryPolicy: {
      maxDeliveryAttempts: 30
      eventTimeToLiveInMinutes: 24 * 60
    }
  }
}
