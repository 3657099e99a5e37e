// One rule: it fires when there is something for a person to do, and names what.

@description('Required. Name of the action group.')
param actionGroupName string

@description('Required. Name of the rule.')
param ruleName string

@description('Required. Region of the Application Insights component.')
param location string

@description('Required. Resource id of the Application Insights component.')
param applicationInsightsId string

@description('Required. E-mail address that is told.')
param email string

// The app logs one JSON object per event as the message, and level error means that a person has something to do.
// Names of events and functions only: what a query returns is sent by e-mail, so no personal data.
var problems = '''
union
  (traces
    | where message startswith "{"
    | extend event = parse_json(message)
    | where tostring(event.level) == "error"
    | project timestamp, problem = tostring(event.event)),
  (requests
    | where operation_Name in ("upload_hr_file", "resume_uploads", "report_provisioning") and success == false
    | project timestamp, problem = strcat(operation_Name, " failed"))
'''

resource actionGroup 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: actionGroupName
  location: 'global'
  properties: {
    groupShortName: 'HR to Entra'
    enabled: true
    emailReceivers: [
      {
        name: 'owner'
        emailAddress: email
        useCommonAlertSchema: true
      }
    ]
  }
}

resource rule 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = {
  name: ruleName
  location: location
  kind: 'LogAlert'
  properties: {
    displayName: 'HR connector: something needs a person'
    description: 'A function failed, or the connector logged an event of level error. Each problem is an alert of its own.'
    severity: 1
    enabled: true
    scopes: [
      applicationInsightsId
    ]
    evaluationFrequency: 'PT5M'
    // Wider than the frequency, because a line of the log can arrive minutes late.
    windowSize: 'PT15M'
    criteria: {
      allOf: [
        {
          query: problems
          timeAggregation: 'Count'
          operator: 'GreaterThan'
          threshold: 0
          // One alert per problem: a second one is told while the first is still open.
          dimensions: [
            {
              name: 'problem'
              operator: 'Include'
              values: [
                '*'
              ]
            }
          ]
          failingPeriods: {
            numberOfEvaluationPeriods: 1
            minFailingPeriodsToAlert: 1
          }
        }
      ]
    }
    autoMitigate: true
    // A new workspace has no tables yet, and the check of the query would fail on that.
    skipQueryValidation: true
    actions: {
      actionGroups: [
        actionGroup.id
      ]
    }
  }
}
