// The parts of the connector and how they are wired. Each part is one file in modules/.
// Two parts are separate steps and not listed here: modules/event-subscription.bicep needs the code to be
// deployed already, and modules/graph-permissions.bicep needs rights in Entra that few deployers have.

targetScope = 'resourceGroup'

@description('Optional. Short name that every resource name is built from: lower-case letters and digits.')
@minLength(3)
@maxLength(11)
param name string = 'hrconnector'

@description('Optional. Region of every resource; it must offer Flex Consumption.')
param location string = resourceGroup().location

@description('Required. E-mail address that is told when something needs a person.')
param alertEmail string

@description('Optional. Days after which a file in hr-drop is deleted.')
@minValue(1)
param hrDropRetentionDays int = 14

@description('Optional. Days after which a run record is deleted. Runs must be kept longer than drops: a drop whose run record is gone looks like one that was never handled, and would be sent again. A value less than a week above hrDropRetentionDays is raised to that.')
@minValue(8)
param runsRetentionDays int = 90

@description('Optional. Instances kept warm for the blob trigger. They cost money while idle; with 0, the first event after a pause can be lost and is then found by resume_uploads.')
@minValue(0)
param alwaysReadyBlobInstances int = 1

@description('Optional. Calls of bulkUpload that the tenant may make in 24 hours: 2000 with Entra ID P1 or P2, 6000 with Entra ID Governance.')
@minValue(1)
param bulkRequestsPerDay int = 2000

@description('Optional. How many of these calls are kept back for feeds with priority: urgent, such as leavers. Less than bulkRequestsPerDay.')
@minValue(0)
param bulkRequestsReservedPerDay int = 0

var suffix = take(uniqueString(resourceGroup().id, name), 8)

module identity 'modules/identity.bicep' = {
  name: 'identity'
  params: {
    name: 'id-${name}-${suffix}'
    location: location
  }
}

module hostStorage 'modules/host-storage.bicep' = {
  name: 'host-storage'
  params: {
    name: '${name}host${suffix}'
    location: location
  }
}

module hrStorage 'modules/hr-storage.bicep' = {
  name: 'hr-storage'
  params: {
    name: '${name}hr${suffix}'
    location: location
    hrDropRetentionDays: hrDropRetentionDays
    runsRetentionDays: runsRetentionDays
  }
}

module hostStorageAccess 'modules/storage-access.bicep' = {
  name: 'host-storage-access'
  params: {
    storageAccountName: hostStorage.outputs.name
    principalId: identity.outputs.principalId
    roles: [
      'Storage Blob Data Owner'
      'Storage Queue Data Contributor'
      'Storage Table Data Contributor'
    ]
  }
}

module hrStorageAccess 'modules/storage-access.bicep' = {
  name: 'hr-storage-access'
  params: {
    storageAccountName: hrStorage.outputs.name
    principalId: identity.outputs.principalId
    roles: [
      'Storage Blob Data Owner'
      'Storage Queue Data Contributor'
    ]
  }
}

module monitoring 'modules/monitoring.bicep' = {
  name: 'monitoring'
  params: {
    workspaceName: 'log-${name}-${suffix}'
    applicationInsightsName: 'appi-${name}-${suffix}'
    location: location
    publisherPrincipalId: identity.outputs.principalId
  }
}

module functionApp 'modules/function-app.bicep' = {
  name: 'function-app'
  params: {
    name: 'func-${name}-${suffix}'
    planName: 'plan-${name}-${suffix}'
    location: location
    identityId: identity.outputs.id
    identityClientId: identity.outputs.clientId
    hostStorageAccountName: hostStorage.outputs.name
    deploymentContainerName: hostStorage.outputs.deploymentContainerName
    hrStorageAccountName: hrStorage.outputs.name
    applicationInsightsConnectionString: monitoring.outputs.connectionString
    alwaysReadyBlobInstances: alwaysReadyBlobInstances
    bulkRequestsPerDay: bulkRequestsPerDay
    bulkRequestsReservedPerDay: bulkRequestsReservedPerDay
  }
  // A role takes minutes to reach the storage service, and the host's first start needs it.
  dependsOn: [
    hostStorageAccess
    hrStorageAccess
  ]
}

module eventGrid 'modules/event-grid.bicep' = {
  name: 'event-grid'
  params: {
    topicName: 'evgt-${name}-${suffix}'
    location: location
    hrStorageAccountName: hrStorage.outputs.name
  }
}

module alerts 'modules/alerts.bicep' = {
  name: 'alerts'
  params: {
    actionGroupName: 'ag-${name}-${suffix}'
    ruleName: 'alert-${name}-${suffix}'
    location: location
    applicationInsightsId: monitoring.outputs.applicationInsightsId
    email: alertEmail
  }
}

// azd keeps these as environment values: scripts/post-deploy.* and docs/deploy.md read them.
@description('The function app.')
output FUNCTION_APP_NAME string = functionApp.outputs.name
@description('Host name of the function app.')
output FUNCTION_APP_HOST string = functionApp.outputs.hostName
@description('Storage account for HR data.')
output HR_STORAGE_ACCOUNT_NAME string = hrStorage.outputs.name
@description('Event Grid system topic of the HR storage account.')
output SYSTEM_TOPIC_NAME string = eventGrid.outputs.topicName
@description('Object id of the managed identity: who the Graph permissions are granted to.')
output IDENTITY_PRINCIPAL_ID string = identity.outputs.principalId
@description('Application Insights component that holds the connector\'s log.')
output APPLICATION_INSIGHTS_NAME string = monitoring.outputs.applicationInsightsName
