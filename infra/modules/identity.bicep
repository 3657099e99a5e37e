// The one identity of the connector: for both storage accounts, telemetry and Microsoft Graph.

@description('Required. Name of the identity.')
param name string

@description('Required. Region.')
param location string

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2023-01-31' = {
  name: name
  location: location
}

@description('Resource id.')
output id string = identity.id

@description('Client id: how the app names the identity it wants a token for.')
output clientId string = identity.properties.clientId

@description('Object id: who roles and permissions are assigned to.')
output principalId string = identity.properties.principalId
