namespace PaymentPlatform.Query;

/// <summary>A folder that can't be used stops the start, not the first query.</summary>
internal sealed class ArchiveEngineStart(ArchiveEngine engine) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken)
    {
        _ = engine;
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
