// The function app on its Flex Consumption plan (one plan holds exactly one app).

@description('Required. Name of the function app; unique in Azure.')
param name string

@description('Required. Name of the plan.')
param planName string

@description('Required. Region.')
param location string

@description('Required. Resource id of the user-assigned identity.')
param identityId string

@description('Required. Client id of the same identity.')
param identityClientId string

@description('Required. Storage account of the Functions host.')
param hostStorageAccountName string

@description('Required. Container of that account that the code is deployed to.')
param deploymentContainerName string

@description('Required. Storage account of HR data.')
param hrStorageAccountName string

@description('Required. Where telemetry is sent.')
param applicationInsightsConnectionString string

@description('Required. Instances kept warm for the blob trigger.')
@minValue(0)
param alwaysReadyBlobInstances int

@description('Required. Calls of bulkUpload that the tenant may make in 24 hours.')
param bulkRequestsPerDay int

@description('Required. How many of these calls only urgent feeds may use.')
@minValue(0)
param bulkRequestsReservedPerDay int

@description('Optional. Most instances at a time; 40 is the lowest value that every region took when this was written.')
param maximumInstanceCount int = 40

@description('Optional. When unfinished runs are taken up again: NCRONTAB with seconds, in UTC.')
param resumeSchedule string = '0 * * * * *'

@description('Optional. When the provisioning logs are read: NCRONTAB with seconds, in UTC.')
param reportSchedule string = '0 */15 * * * *'

var storageSuffix = environment().suffixes.storage

resource plan 'Microsoft.Web/serverfarms@2024-04-01' = {
  name: planName
  location: location
  kind: 'functionapp'
  sku: {
    name: 'FC1'
    tier: 'FlexConsumption'
  }
  properties: {
    reserved: true
  }
}

resource site 'Microsoft.Web/sites@2024-04-01' = {
  name: name
  location: location
  kind: 'functionapp,linux'
  // azd deploys the service of this name in azure.yaml to the app with this tag.
  tags: {
    'azd-service-name': 'connector'
  }
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${identityId}': {}
    }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: 'https://${hostStorageAccountName}.blob.${storageSuffix}/${deploymentContainerName}'
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identityId
          }
        }
      }
      runtime: {
        name: 'python'
        version: '3.12'
      }
      scaleAndConcurrency: {
        instanceMemoryMB: 2048
        maximumInstanceCount: maximumInstanceCount
        alwaysReady: alwaysReadyBlobInstances == 0 ? [] : [
          {
            name: 'blob'
            instanceCount: alwaysReadyBlobInstances
          }
        ]
      }
    }
    siteConfig: {
      minTlsVersion: '1.2'
      ftpsState: 'Disabled'
      // Never a plain AzureWebJobsStorage or HR_STORAGE beside these: it would win over the identity.
      appSettings: [
        { name: 'AzureWebJobsStorage__accountName', value: hostStorageAccountName }
        { name: 'AzureWebJobsStorage__blobServiceUri', value: 'https://${hostStorageAccountName}.blob.${storageSuffix}' }
        { name: 'AzureWebJobsStorage__queueServiceUri', value: 'https://${hostStorageAccountName}.queue.${storageSuffix}' }
        { name: 'AzureWebJobsStorage__tableServiceUri', value: 'https://${hostStorageAccountName}.table.${storageSuffix}' }
        { name: 'AzureWebJobsStorage__credential', value: 'managedidentity' }
        { name: 'AzureWebJobsStorage__clientId', value: identityClientId }
        { name: 'APPLICATIONINSIGHTS_CONNECTION_STRING', value: applicationInsightsConnectionString }
        { name: 'APPLICATIONINSIGHTS_AUTHENTICATION_STRING', value: 'ClientId=${identityClientId};Authorization=AAD' }
        { name: 'HR_STORAGE__blobServiceUri', value: 'https://${hrStorageAccountName}.blob.${storageSuffix}' }
        { name: 'HR_STORAGE__queueServiceUri', value: 'https://${hrStorageAccountName}.queue.${storageSuffix}' }
        { name: 'HR_STORAGE__credential', value: 'managedidentity' }
        { name: 'HR_STORAGE__clientId', value: identityClientId }
        { name: 'AZURE_CLIENT_ID', value: identityClientId }
        { name: 'GRAPH_ENDPOINT', value: 'https://graph.microsoft.com' }
        { name: 'RESUME_SCHEDULE', value: resumeSchedule }
        { name: 'REPORT_SCHEDULE', value: reportSchedule }
        { name: 'BULK_REQUESTS_PER_5_SECONDS', value: '40' }
        { name: 'BULK_REQUESTS_PER_DAY', value: string(bulkRequestsPerDay) }
        { name: 'BULK_REQUESTS_RESERVED_PER_DAY', value: string(bulkRequestsReservedPerDay) }
        { name: 'BUCKET_FULL_SECONDS', value: '300' }
        { name: 'CHECK_JOB_HEALTH', value: 'true' }
        { name: 'TIME_BUDGET_MINUTES', value: '20' }
      ]
    }
  }
}

// azd deploys with the deployer's Entra token; publishing by user name and password stays off.
resource noBasicAuth 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-04-01' = [for channel in ['scm', 'ftp']: {
  parent: site
  name: channel
  properties: {
    allow: false
  }
}]

@description('Name of the function app.')
output name string = site.name

@description('Host name of the function app.')
output hostName string = site.properties.defaultHostName
