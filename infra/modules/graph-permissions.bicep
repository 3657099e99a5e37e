// Separate step: lets the connector's identity upload to provisioning jobs, read the provisioning logs and see the state of jobs.
// The deployer must be allowed to grant application permissions of Microsoft Graph (docs/deploy.md says who is).

extension microsoftGraphV1

@description('Required. Object id of the connector\'s managed identity.')
param principalId string

@description('Optional. Application permissions of Microsoft Graph.')
param permissions array = [
  'SynchronizationData-User.Upload'
  'ProvisioningLog.Read.All'
]

@description('Optional. Also lets it see whether a job is paused, disabled or in quarantine before rows are sent to it.')
param readJobState bool = true

var granted = readJobState ? concat(permissions, [ 'Synchronization.Read.All' ]) : permissions

resource graph 'Microsoft.Graph/servicePrincipals@v1.0' existing = {
  appId: '00000003-0000-0000-c000-000000000000'
}

resource grants 'Microsoft.Graph/appRoleAssignedTo@v1.0' = [for permission in granted: {
  principalId: principalId
  resourceId: graph.id
  // By name: an id that is mistyped could grant something else.
  appRoleId: filter(graph.appRoles, role => role.value == permission)[0].id
}]
