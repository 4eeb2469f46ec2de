// The namespace and its session queues. The queues come from the same file that the local broker and the
// official emulator read, so that an environment cannot differ from what was tested.

@description('Required. Name of the namespace.')
param name string

@description('Required. Where it lives.')
param location string

@description('Optional. Tags.')
param tags object = {}

@description('Required. Standard or Premium; Basic has no sessions.')
@allowed(['Standard', 'Premium'])
param tier string

@description('Required. How long a message may wait. It replaces the hour that is the most the emulator allows.')
param messageTimeToLive string

var config = loadJsonContent('../servicebus/config.json')
var queues = config.UserConfig.Namespaces[0].Queues

resource namespace 'Microsoft.ServiceBus/namespaces@2022-10-01-preview' = {
  name: name
  location: location
  tags: tags
  sku: {
    name: tier
    tier: tier
  }
  properties: {
    // Only identities get in.
    disableLocalAuth: true
    minimumTlsVersion: '1.2'
  }

  resource queue 'queues' = [
    for queue in queues: {
      name: queue.Name
      properties: {
        requiresSession: queue.Properties.RequiresSession
        lockDuration: queue.Properties.LockDuration
        maxDeliveryCount: queue.Properties.MaxDeliveryCount
        deadLetteringOnMessageExpiration: queue.Properties.DeadLetteringOnMessageExpiration
        requiresDuplicateDetection: queue.Properties.RequiresDuplicateDetection
        duplicateDetectionHistoryTimeWindow: queue.Properties.DuplicateDetectionHistoryTimeWindow
        defaultMessageTimeToLive: messageTimeToLive
      }
    }
  ]
}

output name string = namespace.name
output host string = '${namespace.name}.servicebus.windows.net'
output inboundQueue string = queues[0].Name
output outboundQueue string = queues[1].Name
