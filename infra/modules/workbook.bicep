param displayName string

param location string

param tags object

param workspaceId string

resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = {
  // The service wants a GUID as name; a stable one makes the deployment repeatable.
  name: guid(resourceGroup().id, 'sendgrid-segment-export')
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    category: 'workbook'
    displayName: displayName
    sourceId: workspaceId
    version: 'Notebook/1.0'
    serializedData: replace(loadTextContent('../workbook.json'), '{workspaceId}', workspaceId)
  }
}

output id string = workbook.id
