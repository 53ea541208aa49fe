#!/bin/sh
# Runs the migration job in Azure and waits for its end. azd calls it after each deployment, with its environment's values.
# PLATFORM_SKIP_MIGRATION=true leaves it out: for a way back to a version that knows less than the schema.
set -eu
if [ "${PLATFORM_SKIP_MIGRATION:-}" = true ]; then
  echo "Not migrated: PLATFORM_SKIP_MIGRATION is set."
  exit 0
fi
group=${AZURE_RESOURCE_GROUP:-rg-$AZURE_ENV_NAME}
job() { az containerapp job "$@" --name migrator --resource-group "$group" --subscription "$AZURE_SUBSCRIPTION_ID" --output tsv; }

if ! execution=$(job start --query name); then
  echo "The migration job could not be started in $group: is 'az' installed and signed in (az login)?" >&2
  exit 1
fi
echo "Migrating ($execution)…"
tries=0
while [ $tries -lt 180 ]; do
  status=$(job execution show --job-execution-name "$execution" --query properties.status)
  case $status in
    Succeeded) echo "Migrated."; exit 0 ;;
    Failed | Stopped | Degraded) echo "The migration ended as $status; its log: az containerapp job logs show --name migrator --resource-group $group --container migrator --execution $execution" >&2; exit 1 ;;
  esac
  tries=$((tries + 1))
  sleep 10
done
echo "The migration $execution has not ended after 30 minutes; it goes on." >&2
exit 1
