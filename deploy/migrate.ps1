# The same as migrate.sh, for Windows.
$ErrorActionPreference = 'Stop'
if ($env:PLATFORM_SKIP_MIGRATION -eq 'true') {
    Write-Output 'Not migrated: PLATFORM_SKIP_MIGRATION is set.'
    exit 0
}
$group = if ($env:AZURE_RESOURCE_GROUP) { $env:AZURE_RESOURCE_GROUP } else { "rg-$env:AZURE_ENV_NAME" }
function Invoke-Job { az containerapp job @args --name migrator --resource-group $group --subscription $env:AZURE_SUBSCRIPTION_ID --output tsv }

$execution = Invoke-Job start --query name
if ($LASTEXITCODE -ne 0) {
    [Console]::Error.WriteLine("The migration job could not be started in ${group}: is 'az' installed and signed in (az login)?")
    exit 1
}
Write-Output "Migrating ($execution)..."
foreach ($try in 1..180) {
    $status = Invoke-Job execution show --job-execution-name $execution --query properties.status
    if ($status -eq 'Succeeded') {
        Write-Output 'Migrated.'
        exit 0
    }
    if ($status -in 'Failed', 'Stopped', 'Degraded') {
        [Console]::Error.WriteLine("The migration ended as ${status}; its log: az containerapp job logs show --name migrator --resource-group $group --container migrator --execution $execution")
        exit 1
    }
    Start-Sleep -Seconds 10
}
[Console]::Error.WriteLine("The migration $execution has not ended after 30 minutes; it goes on.")
exit 1
