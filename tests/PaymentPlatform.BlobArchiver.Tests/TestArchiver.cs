using Microsoft.Extensions.Hosting;

namespace PaymentPlatform.BlobArchiver.Tests;

/// <summary>One archiver as a host of its own, with its fault points.</summary>
internal sealed class TestArchiver : IAsyncDisposable
{
    private bool _stopped;

    public IHost Host { get; set; } = null!;

    public WriteProbe Probe { get; } = new();

    public BlobFaults BlobFaults { get; } = new();

    public LogCollector Log { get; } = new();

    public int BlobRetries { get; set; } = 3;

    /// <summary>Null for the platform's own.</summary>
    public string? DatabaseConnectionString { get; set; }

    /// <summary>Gracefully: what is read is flushed.</summary>
    public async Task StopAsync()
    {
        _stopped = true;
        await Host.StopAsync();
    }

    /// <summary>As a process that dies would: nothing more is flushed.</summary>
    public async Task KillAsync()
    {
        _stopped = true;
        await Host.StopAsync(new CancellationToken(canceled: true));
    }

    public async ValueTask DisposeAsync()
    {
        if (Host is null)
            return;
        if (!_stopped)
            await KillAsync();
        Host.Dispose();
    }
}
