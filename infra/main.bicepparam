using './main.bicep'

// azd asks for AZURE_LOCATION itself; `azd env set ALERT_EMAIL …` sets the other before the first provision.
param location = readEnvironmentVariable('AZURE_LOCATION')
param alertEmail = readEnvironmentVariable('ALERT_EMAIL')
