// Second step, after the code is deployed (scripts/post-deploy.* runs it): tells upload_hr_file of finished files.
// It needs the system key that the host makes at its first start with a blob trigger, and Event Grid asks the
// function to answer before it accepts the subscription. Run it again after a rotation of that key.

@description('Required. Function app that holds upload_hr_file.')
param functionAppName string

@description('Required. System topic of the HR storage account.')
param systemTopicName string

@description('Required. Storage account of HR data.')
param hrStorageAccountName string

resource app 'Microsoft.Web/sites@2024-04-01' existing = {
  name: functionAppName
}

resource topic 'Microsoft.EventGrid/systemTopics@2022-06-15' existing = {
  name: systemTopicName
}

resource account 'Microsoft.Storage/storageAccounts@2023-05-01' existing = {
  name: hrStorageAccountName
}

var webhookKey = listKeys('${app.id}/host/default', '2024-04-01').systemKeys.blobs_extension

resource subscription 'Microsoft.EventGrid/systemTopics/eventSubscriptions@2022-06-15' = {
  parent: topic
  name: 'hr-drop-to-upload-hr-file'
  properties: {
    eventDeliverySchema: 'EventGridSchema'
    destination: {
      endpointType: 'WebHook'
      properties: {
        endpointUrl: 'https://${app.properties.defaultHostName}/runtime/webhooks/blobs?functionName=Host.Functions.upload_hr_file&code=${webhookKey}'
        maxEventsPerBatch: 1
        preferredBatchSizeInKilobytes: 64
      }
    }
    filter: {
      includedEventTypes: [
        'Microsoft.Storage.BlobCreated'
      ]
      // The final slash keeps a container such as hr-drop-old out. This filter is the only one: the path of the
      // trigger filters nothing on this way.
      subjectBeginsWith: '/blobServices/default/containers/hr-drop/'
      // Finished writes only: Data Lake and SFTP writers raise events while a file still grows.
      advancedFilters: [
        {
          operatorType: 'StringIn'
          key: 'data.api'
          values: [
            'CopyBlob'
            'PutBlob'
            'PutBlockList'
            'FlushWithClose'
            'SftpCommit'
          ]
        }
      ]
    }
    retryPolicy: {
      maxDeliveryAttempts: 30
      eventTimeToLiveInMinutes: 1440
    }
    // Event Grid never tries again after 400, 401, 403 or 413: without this such an event is gone without a trace.
    deadLetterWithResourceIdentity: {
      identity: {
        type: 'SystemAssigned'
      }
      deadLetterDestination: {
        endpointType: 'StorageBlob'
        properties: {
          resourceId: account.id
          blobContainerName: 'eventgrid-deadletter'
        }
      }
    }
  }
}
