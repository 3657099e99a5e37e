#!/bin/sh
# Second deployment step: connects hr-drop to the deployed upload_hr_file. azd runs it after every deploy, with the
# outputs of main.bicep in the environment. Safe to run again: the same subscription is updated.
set -eu

: "${AZURE_SUBSCRIPTION_ID:?run this through azd, or set it}"
: "${AZURE_RESOURCE_GROUP:?run this through azd, or set it}"
: "${FUNCTION_APP_NAME:?run azd provision first}"
: "${FUNCTION_APP_HOST:?run azd provision first}"
: "${SYSTEM_TOPIC_NAME:?run azd provision first}"
: "${HR_STORAGE_ACCOUNT_NAME:?run azd provision first}"

template="$(dirname -- "$0")/../modules/event-subscription.bicep"

# Without this, a missing login would look like a key that never comes: the waiting below hides az's words.
az account show --subscription "$AZURE_SUBSCRIPTION_ID" --output none

wake_host() {
  # The host makes the key when it starts; what it answers does not matter.
  curl --silent --output /dev/null --max-time 60 "https://$FUNCTION_APP_HOST/" || true
}

function_is_loaded() {
  [ "$(az functionapp function list --subscription "$AZURE_SUBSCRIPTION_ID" \
    --resource-group "$AZURE_RESOURCE_GROUP" --name "$FUNCTION_APP_NAME" \
    --query "length([?ends_with(name, '/upload_hr_file')])" --output tsv 2>/dev/null)" = 1 ]
}

key_exists() {
  # Its length only: the key itself never leaves az. No key yet is an error of the query.
  length=$(az functionapp keys list --subscription "$AZURE_SUBSCRIPTION_ID" \
    --resource-group "$AZURE_RESOURCE_GROUP" --name "$FUNCTION_APP_NAME" \
    --query "length(systemKeys.blobs_extension)" --output tsv 2>/dev/null) || return 1
  [ "${length:-0}" -gt 0 ]
}

subscribe() {
  az deployment group create --subscription "$AZURE_SUBSCRIPTION_ID" \
    --resource-group "$AZURE_RESOURCE_GROUP" --name event-subscription --template-file "$template" \
    --parameters "functionAppName=$FUNCTION_APP_NAME" "systemTopicName=$SYSTEM_TOPIC_NAME" \
    "hrStorageAccountName=$HR_STORAGE_ACCOUNT_NAME" --only-show-errors --output none
}

tries=40
echo "Waiting for the host to load upload_hr_file (up to 10 minutes) ..."
until wake_host && function_is_loaded && key_exists; do
  tries=$((tries - 1))
  if [ "$tries" -eq 0 ]; then
    echo "The host has not loaded upload_hr_file, or has no key for it: see 'When something is wrong' in docs/deploy.md." >&2
    exit 1
  fi
  sleep 15
done

# Event Grid asks the function for an answer before it accepts the subscription; a host that has just scaled to
# zero, or a role that has not spread yet, makes that fail for some minutes.
tries=5
echo "Connecting hr-drop to upload_hr_file ..."
until subscribe; do
  tries=$((tries - 1))
  if [ "$tries" -eq 0 ]; then
    echo "The event subscription was refused five times: see 'When something is wrong' in docs/deploy.md." >&2
    exit 1
  fi
  sleep 60
  wake_host
done
echo "Done: a file put in hr-drop/<feed>/ now starts upload_hr_file."
