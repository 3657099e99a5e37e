// Separate step: lets the connector's identity upload to provisioning jobs and read the provisioning logs.
// The deployer must be allowed to grant application permissions of Microsoft Graph (docs/deploy.md says who is).

extension microsoftGraphV1

@description('Required. Object id of the connector\'s managed identity.')
param principalId string

@description('Optional. Application permissions of Microsoft Graph.')
param permissions array = [
  'SynchronizationData-User.Upload'
  'ProvisioningLog.Read.All'
]

resource graph 'Microsoft.Graph/servicePrincipals@v1.0' existing = {
  appId: '00000003-0000-0000-c000-000000000000'
}

resource grants 'Microsoft.Graph/appRoleAssignedTo@v1.0' = [for permission in permissions: {
  principalId: principalId
  resourceId: graph.id
  // By name: an id that is mistyped could grant something else.
  appRoleId: filter(graph.appRoles, role => role.value == permission)[0].id
}]
