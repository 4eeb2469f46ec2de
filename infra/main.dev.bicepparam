// Replace what is in angle brackets; nothing here is secret.
using 'main.bicep'

param environmentName = 'dev'
param dataverseUrl = 'https://<organisation>.crm4.dynamics.com'
param ownNames = '<systemuserid of the application user>,integration'
// Of each legacy system what docs/reference/settings.md names; DROP_URL and IMPORT_URL where files are exchanged.
param systemSettings = {
  ALLEGORY_URL: 'https://<allegory host>'
  ALLEGORY_KEY_SECRET: 'allegory-api-key'
  ALLEGORY_FEED_SCHEDULE: '0 */1 * * * *'
}
param ticketsUrl = 'https://<ticket desk host>'
param authAudience = 'api://tandem-dev'
param sqlAdministratorsName = '<Entra group>'
param sqlAdministratorsObjectId = '00000000-0000-0000-0000-000000000000'
param sqlSkuName = 'S0'
param serviceBusTier = 'Standard'
