// Replace what is in angle brackets; nothing here is secret.
using 'main.bicep'

param environmentName = 'dev'
param dataverseUrl = 'https://<organisation>.crm4.dynamics.com'
param ownNames = '<systemuserid of the application user>,integration'
param allegoryUrl = 'https://<allegory host>'
param ticketsUrl = 'https://<ticket desk host>'
param authAudience = 'api://tandem-dev'
param sqlAdministratorsName = '<Entra group>'
param sqlAdministratorsObjectId = '00000000-0000-0000-0000-000000000000'
param sqlSkuName = 'S0'
param serviceBusTier = 'Standard'
