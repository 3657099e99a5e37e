# Second deployment step on Windows: the same as post-deploy.sh, in the same order. Safe to run again.
$ErrorActionPreference = 'Stop'

foreach ($name in 'AZURE_SUBSCRIPTION_ID', 'AZURE_RESOURCE_GROUP', 'FUNCTION_APP_NAME', 'FUNCTION_APP_HOST', 'SYSTEM_TOPIC_NAME', 'HR_STORAGE_ACCOUNT_NAME') {
  if (-not [Environment]::GetEnvironmentVariable($name)) { throw "$name is not set: run azd provision first, and this through azd" }
}

$template = Join-Path $PSScriptRoot '../modules/event-subscription.bicep'
$app = @('--subscription', $env:AZURE_SUBSCRIPTION_ID, '--resource-group', $env:AZURE_RESOURCE_GROUP, '--name', $env:FUNCTION_APP_NAME)

# Without this, a missing login would look like a key that never comes: the waiting below hides az's words.
az account show --subscription $env:AZURE_SUBSCRIPTION_ID --output none
if ($LASTEXITCODE -ne 0) { throw 'az is not logged in to this subscription' }

function Start-FunctionHost {
  # The host makes the key when it starts; what it answers does not matter.
  try { Invoke-WebRequest -Uri "https://$env:FUNCTION_APP_HOST/" -TimeoutSec 60 | Out-Null } catch { }
}

function Test-FunctionLoaded {
  $count = az functionapp function list @app --query "length([?ends_with(name, '/upload_hr_file')])" --output tsv 2>$null
  return "$count" -eq '1'
}

function Test-Key {
  # Its length only: the key itself never leaves az. No key yet is an error of the query.
  $length = az functionapp keys list @app --query "length(systemKeys.blobs_extension)" --output tsv 2>$null
  return [int]"0$length" -gt 0
}

function Add-Subscription {
  az deployment group create --subscription $env:AZURE_SUBSCRIPTION_ID --resource-group $env:AZURE_RESOURCE_GROUP `
    --name event-subscription --template-file $template `
    --parameters "functionAppName=$env:FUNCTION_APP_NAME" "systemTopicName=$env:SYSTEM_TOPIC_NAME" `
    "hrStorageAccountName=$env:HR_STORAGE_ACCOUNT_NAME" --only-show-errors --output none
  return $LASTEXITCODE -eq 0
}

Write-Output 'Waiting for the host to load upload_hr_file (up to 10 minutes) ...'
for ($try = 1; ; $try++) {
  Start-FunctionHost
  if ((Test-FunctionLoaded) -and (Test-Key)) { break }
  if ($try -eq 40) { throw "The host has not loaded upload_hr_file, or has no key for it: see 'When something is wrong' in docs/deploy.md." }
  Start-Sleep -Seconds 15
}

# Event Grid asks the function for an answer before it accepts the subscription; a host that has just scaled to
# zero, or a role that has not spread yet, makes that fail for some minutes.
Write-Output 'Connecting hr-drop to upload_hr_file ...'
for ($try = 1; -not (Add-Subscription); $try++) {
  if ($try -eq 5) { throw "The event subscription was refused five times: see 'When something is wrong' in docs/deploy.md." }
  Start-Sleep -Seconds 60
  Start-FunctionHost
}
Write-Output 'Done: a file put in hr-drop/<feed>/ now starts upload_hr_file.'
