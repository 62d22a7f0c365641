// Alerts on the lines that shared/telemetry.py writes: `event=… key=value …`, one line an event.

@description('Start of the names.')
param prefix string

param location string

param tags object

param workspaceId string

@description('Who is told; empty: the alerts fire, and are seen in the portal only.')
param emails array

@description('How long may pass without a run that succeeded, as an ISO 8601 duration; empty: do not watch.')
param refreshExpectedWithin string

@description('Budget of the resource group for a month, in the currency of the subscription; 0 for none.')
param monthlyBudget int

@description('First day of the month from which the budget counts.')
param budgetStartDate string

var facts = 'parse-kv Message as (event: string, export: string, connection: string, status: string, queue: string, code: string, target: string, count: int) with (pair_delimiter=" ", kv_delimiter="=")'

var lines = 'AppTraces | where Message startswith "event=" | ${facts}'

// One row where there is none, so that silence is something to count: also that of the whole app, or of all its telemetry.
var nothing = 'summarize found = countif(true) | where found == 0'

// A window is twice as long as the time between two looks, since a line can be minutes late; looking every
// quarter of an hour costs a third of looking every five minutes.
var rules = [
  {
    name: 'run-failed'
    enabled: true
    severity: 2
    description: 'A run ended as failed. Its reason says what to change: docs/operations.md.'
    query: '${lines} | where event == "run_finished" and status == "failed"'
    threshold: 0
    window: 'PT30M'
    frequency: 'PT15M'
    by: [
      'export'
    ]
  }
  {
    name: 'run-warned'
    enabled: true
    severity: 3
    description: 'A run was completed with warnings. Its reason says what to look at: docs/operations.md.'
    query: '${lines} | where event == "run_finished" and status == "completed_with_warnings"'
    threshold: 0
    window: 'PT30M'
    frequency: 'PT15M'
    by: [
      'export'
    ]
  }
  {
    name: 'export-overdue'
    enabled: true
    severity: 2
    description: 'An export has had no success, or its source no new extract (the code says which), for longer than its expect_every.'
    query: '${lines} | where event == "export_overdue" and code in ("no_success", "no_new_extract")'
    threshold: 0
    window: 'PT30M'
    frequency: 'PT15M'
    by: [
      'export'
      'code'
    ]
  }
  {
    name: 'rejected-jumped'
    enabled: true
    severity: 3
    description: 'A run has rejected a far larger share of its rows than the runs before it: the source writes something differently.'
    query: '${lines} | where event == "rejected_jumped"'
    threshold: 0
    window: 'PT30M'
    frequency: 'PT15M'
    by: [
      'export'
    ]
  }
  {
    name: 'list-apart'
    enabled: true
    severity: 2
    description: 'By SendGrid\'s count a list does not hold what a run has left on it: contacts are missing, or leavers are still there.'
    query: '${lines} | where event == "list_checked" and code in ("fewer_than_expected", "more_than_expected")'
    threshold: 0
    window: 'PT30M'
    frequency: 'PT15M'
    by: [
      'export'
    ]
  }
  {
    name: 'notification-lost'
    enabled: true
    severity: 2
    description: 'A notification was given up: its target did not take it for a day, or is gone. Whoever waits for it does not know: docs/notifications.md.'
    query: '${lines} | where event == "notification_lost"'
    threshold: 0
    window: 'PT30M'
    frequency: 'PT15M'
    by: [
      'target'
    ]
  }
  {
    name: 'poison-message'
    enabled: true
    severity: 1
    description: 'A message failed too often: a defect in the app or in the platform. It is kept below poison/ in the state container.'
    query: '${lines} | where event == "poison_message"'
    threshold: 0
    window: 'PT30M'
    frequency: 'PT15M'
    by: [
      'queue'
    ]
  }
  {
    name: 'sweeper-healing'
    enabled: true
    severity: 3
    description: 'Runs stood still until the sweeper sent their messages again, or it could not, or nobody could be told of their ends yet; now and then is normal.'
    query: '${lines} | where event in ("sweep_healed", "sweep_failed", "not_told")'
    threshold: 3
    window: 'PT1H'
    frequency: 'PT15M'
    by: []
  }
  {
    name: 'no-refresh'
    enabled: !empty(refreshExpectedWithin)
    severity: 2
    description: 'No run succeeded in the expected time.'
    query: '${lines} | where event == "run_finished" and status in ("succeeded", "completed_with_warnings", "skipped") | ${nothing}'
    threshold: 0
    window: empty(refreshExpectedWithin) ? 'P2D' : refreshExpectedWithin
    frequency: 'PT1H'
    by: []
  }
  {
    name: 'timer-silent'
    enabled: true
    severity: 1
    description: 'No sign of life of the timer for half an hour: it stands still, the whole app does, or its log arrives no more. Nothing scheduled will run.'
    query: '${lines} | where event == "refresh_tick" | ${nothing}'
    threshold: 0
    window: 'PT30M'
    frequency: 'PT15M'
    by: []
  }
  {
    name: 'sendgrid-refused'
    enabled: true
    severity: 1
    description: 'SendGrid answered 401 or 403: the key was revoked, lacks a scope, or the account is blocked. Once is a rotated key.'
    query: '${lines} | where event == "sendgrid_refused" and status in ("401", "403")'
    threshold: 1
    window: 'PT30M'
    frequency: 'PT15M'
    by: [
      'connection'
    ]
  }
  {
    name: 'access-denied'
    enabled: true
    severity: 2
    description: 'The app refused callers more than twenty times in half an hour: somebody tries keys or ids, or a caller lost its role.'
    // Those of a minute, by the same caller and about the same, are one line with their count.
    query: '${lines} | where event == "access_denied" | mv-expand each = range(1, coalesce(count, 1), 1)'
    threshold: 20
    window: 'PT30M'
    frequency: 'PT15M'
    by: []
  }
  {
    name: 'audit-not-written'
    enabled: true
    severity: 1
    description: 'Something could not be written into the audit log: it was not done, and the caller was told so. Look at the storage of the container.'
    query: '${lines} | where event == "audit_not_written"'
    threshold: 0
    window: 'PT30M'
    frequency: 'PT15M'
    by: []
  }
  {
    name: 'throttled-for-long'
    enabled: true
    severity: 3
    description: 'SendGrid asked for waits in more than half of the last hour: spread the schedules, or ask for a higher limit.'
    query: '${lines} | where event == "throttled" | summarize by bin(TimeGenerated, 5m)'
    threshold: 6
    window: 'PT1H'
    frequency: 'PT15M'
    by: []
  }
]

resource people 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: '${prefix}-people'
  location: 'global'
  tags: tags
  properties: {
    enabled: true
    groupShortName: take(prefix, 12)
    emailReceivers: [
      for email in emails: {
        name: email
        emailAddress: email
        useCommonAlertSchema: true
      }
    ]
  }
}

resource alerts 'Microsoft.Insights/scheduledQueryRules@2026-03-01' = [
  for rule in rules: {
    name: '${prefix}-${rule.name}'
    location: location
    tags: tags
    kind: 'LogAlert'
    properties: {
      displayName: '${prefix}: ${rule.name}'
      description: rule.description
      enabled: rule.enabled
      severity: rule.severity
      scopes: [
        workspaceId
      ]
      evaluationFrequency: rule.frequency
      windowSize: rule.window
      criteria: {
        allOf: [
          {
            query: rule.query
            timeAggregation: 'Count'
            operator: 'GreaterThan'
            threshold: rule.threshold
            dimensions: [
              for name in rule.by: {
                name: name
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
      actions: {
        actionGroups: [
          people.id
        ]
      }
      autoMitigate: true
      // AppTraces has no columns to check a query against before the app's first line.
      skipQueryValidation: true
    }
  }
]

resource budget 'Microsoft.Consumption/budgets@2026-06-01' = if (monthlyBudget > 0) {
  name: '${prefix}-monthly'
  properties: {
    category: 'Cost'
    amount: monthlyBudget
    timeGrain: 'Monthly'
    timePeriod: {
      startDate: budgetStartDate
    }
    notifications: {
      spent80: {
        enabled: true
        operator: 'GreaterThan'
        threshold: 80
        thresholdType: 'Actual'
        contactEmails: emails
        contactGroups: [
          people.id
        ]
        contactRoles: [
          'Owner'
        ]
      }
      forecast100: {
        enabled: true
        operator: 'GreaterThan'
        threshold: 100
        thresholdType: 'Forecasted'
        contactEmails: emails
        contactGroups: [
          people.id
        ]
        contactRoles: [
          'Owner'
        ]
      }
    }
  }
}

output actionGroupId string = people.id
