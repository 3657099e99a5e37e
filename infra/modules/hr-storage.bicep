// Storage of HR data: what is dropped, what became of it, and the connector's state.

@description('Required. Name of the account: 3 to 24 lower-case letters and digits.')
param name string

@description('Required. Region.')
param location string

@description('Required. Days after which a file in hr-drop is deleted.')
param hrDropRetentionDays int

@description('Required. Days after which a run record is deleted: at least a week more than hrDropRetentionDays, and raised to that if it is less.')
param runsRetentionDays int

@description('Optional. Days for which a deleted or overwritten blob can be restored. Personal data is kept that much longer.')
@minValue(1)
@maxValue(365)
param softDeleteDays int = 7

var containerNames = [
  'hr-drop'
  'feeds'
  'runs'
  'state'
  'summaries'
  'eventgrid-deadletter'
]

// By construction, not by trust: a drop that outlives its run record would be taken for a new one.
// A week, because the lifecycle policy works about once a day and promises no hour.
var runsKeptDays = max(runsRetentionDays, hrDropRetentionDays + 7)

resource account 'Microsoft.Storage/storageAccounts@2023-05-01' = {
  name: name
  location: location
  kind: 'StorageV2'
  sku: {
    name: 'Standard_LRS'
  }
  properties: {
    allowSharedKeyAccess: false
    allowBlobPublicAccess: false
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
  }
}

resource blobService 'Microsoft.Storage/storageAccounts/blobServices@2023-05-01' = {
  parent: account
  name: 'default'
  properties: {
    deleteRetentionPolicy: {
      enabled: true
      days: softDeleteDays
    }
    containerDeleteRetentionPolicy: {
      enabled: true
      days: softDeleteDays
    }
  }
}

resource containers 'Microsoft.Storage/storageAccounts/blobServices/containers@2023-05-01' = [for containerName in containerNames: {
  parent: blobService
  name: containerName
  properties: {
    publicAccess: 'None'
  }
}]

// state and feeds have no rule on purpose: a snapshot or a feed file that expires would change what is sent.
resource lifecycle 'Microsoft.Storage/storageAccounts/managementPolicies@2023-05-01' = {
  parent: account
  name: 'default'
  properties: {
    policy: {
      rules: [
        {
          name: 'expire-hr-drop'
          enabled: true
          type: 'Lifecycle'
          definition: {
            filters: {
              blobTypes: [
                'blockBlob'
              ]
              prefixMatch: [
                'hr-drop/'
              ]
            }
            actions: {
              baseBlob: {
                delete: {
                  daysAfterModificationGreaterThan: hrDropRetentionDays
                }
              }
            }
          }
        }
        {
          name: 'expire-runs'
          enabled: true
          type: 'Lifecycle'
          definition: {
            filters: {
              // The ledger of a run is an append blob: with block blobs alone it would stay for ever.
              blobTypes: [
                'blockBlob'
                'appendBlob'
              ]
              prefixMatch: [
                'runs/'
              ]
            }
            actions: {
              baseBlob: {
                delete: {
                  daysAfterModificationGreaterThan: runsKeptDays
                }
              }
            }
          }
        }
      ]
    }
  }
}

@description('Name of the account.')
output name string = account.name
