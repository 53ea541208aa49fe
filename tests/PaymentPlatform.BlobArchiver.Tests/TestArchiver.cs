using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using PaymentPlatform.Streaming.Repeats;
using PaymentPlatform.Testing;

namespace PaymentPlatform.BlobArchiver.Tests;

/// <summary>One archiver as a host of its own, with its fault points.</summary>
internal sealed class TestArchiver : IAsyncDisposable
{
    private bool _stopped;

    /// <summary>For loops whose events have no identities.</summary>
    public static RepeatFilter NoRepeats() => new(NpgsqlDataSource.Create("Host=nowhere"), ArchiveFlusher.ConsumerGroup, TimeProvider.System, NullLogger.Instance);

    public IHost Host { get; set; } = null!;

    public WriteProbe Probe { get; } = new();

    public BlobFaults BlobFaults { get; } = new();

    public LogCollector Log { get; } = new(LogLevel.Information);

    public int BlobRetries { get; set; } = 3;

    /// <summary>Reads identities from the messages' headers, as the transports over brokers do.</summary>
    public bool ReadsIdentities { get; set; }

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
