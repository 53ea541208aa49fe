using Azure.Core;
using Azure.Storage.Blobs;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using PaymentPlatform.Faults.Proxies;
using PaymentPlatform.Faults.Scenarios;
using PaymentPlatform.Streaming;

namespace PaymentPlatform.Faults.Instances;

/// <summary>
/// One service as a process would run it: a host with a clock, a way to PostgreSQL and a way to the blob store of its own. A kill severs both ways at one moment and throws the host away,
/// which is all that others see of a process that dies; a pause holds both ways and the clock's timers.
/// </summary>
internal sealed class Instance
{
    /// <summary>A host that is thrown away has no way out any more; this is for its tasks to notice.</summary>
    private static readonly TimeSpan EndDeadline = TimeSpan.FromSeconds(20);

    private readonly InstanceNetwork _network = new();
    private readonly InstanceClock _clock = new();
    private readonly InstanceFaults _faults;
    private readonly PostgresProxy _database;
    private readonly BlobProxy _blobs;
    private readonly RunPlace _place;
    private readonly IHost _host;
    private readonly LogKeeper _log;
    private Task? _ended;
    private int _killed;

    private Instance(RunPlace place, InstanceRole role, string name)
    {
        (_place, Role, Name) = (place, role, name);
        _log = new(name, place);
        _faults = new(place, role, name, () => Kill(), Pause);
        _database = new(new(place.DatabaseConnectionString), _network, _faults);
        _blobs = new(BlobAddress(place.BlobConnectionString), _network, _faults, place.Observer);
        _host = Build();
    }

    public InstanceRole Role { get; }

    public string Name { get; }

    public bool IsGone => _network.Severed.IsCancellationRequested;

    public bool IsPaused => _network.IsPaused;

    /// <summary>Cancelled at the kill.</summary>
    public CancellationToken Gone => _network.Severed;

    /// <summary>What comes over a broker: unmasked.</summary>
    public MessagePublisher Publisher => _host.Services.GetInspectedPublisher();

    public StreamRangeReader Reader => _host.Services.GetRequiredService<StreamRangeReader>();

    /// <summary>Of a <see cref="InstanceRole.Door"/> or a <see cref="InstanceRole.Desk"/>.</summary>
    public Uri Url => new(((WebApplication)_host).Urls.First());

    public static async Task<Instance> StartAsync(RunPlace place, InstanceRole role, string name)
    {
        var instance = new Instance(place, role, name);
        try
        {
            await instance._host.StartAsync(instance.Gone);
        }
        catch (Exception) when (instance.IsGone)
        {
            // Killed while it started.
        }

        return instance;
    }

    /// <inheritdoc cref="InstanceFaults.PauseForTakeover"/>
    public void PauseForTakeover(FaultKind kind, TimeSpan afterwards) => _faults.PauseForTakeover(kind, afterwards);

    public void Slow(TimeSpan delay) => _faults.Slow(delay);

    public void CutAll() => _database.CutAll();

    public void Jump(TimeSpan offset) => _clock.Jump(offset);

    public void Pause(TimeSpan duration) => Pause(() => Task.Delay(duration));

    /// <summary>As SIGSTOP, and SIGCONT once what is begun then has ended. Nothing when it is paused already.</summary>
    private void Pause(Func<Task> until)
    {
        if (IsGone || !_network.Pause())
            return;
        _place.Log.Add(Name, "is paused");
        _clock.Pause();
        _ = ResumeAfterAsync(_place.Hold());

        async Task ResumeAfterAsync(IDisposable held)
        {
            using (held)
            {
                try
                {
                    await until();
                }
                finally
                {
                    Resume();
                }
            }
        }
    }

    /// <summary>As SIGKILL. What is left of the host ends in the background.</summary>
    public Task Kill()
    {
        if (Interlocked.Exchange(ref _killed, 1) == 0)
        {
            _network.Sever();
            Resume();
            _ended = Task.Run(() => EndAsync(new CancellationToken(canceled: true)));
        }

        return _ended ?? Task.CompletedTask;
    }

    /// <summary>As SIGTERM: it commits what it holds and gives its partitions up.</summary>
    public async Task StopAsync()
    {
        if (Interlocked.Exchange(ref _killed, 1) != 0)
            return;
        using var deadline = new CancellationTokenSource(EndDeadline);
        _ended = EndAsync(deadline.Token);
        await _ended;
    }

    private void Resume()
    {
        if (_network.Resume())
            _place.Log.Add(Name, "goes on");
        _clock.Resume();
    }

    private async Task EndAsync(CancellationToken graceful)
    {
        try
        {
            await _host.StopAsync(graceful);
        }
        catch (Exception)
        {
            // Its stores are gone: whatever it says of that.
        }

        _network.Sever();
        try
        {
            await (_host is IAsyncDisposable host ? host.DisposeAsync().AsTask() : Task.Run(_host.Dispose)).WaitAsync(EndDeadline);
        }
        catch (Exception e) when (e is not TimeoutException)
        {
            // As above.
        }
        finally
        {
            _database.Dispose();
            _blobs.Dispose();
        }
    }

    private IHost Build()
    {
        if (Role is InstanceRole.Door or InstanceRole.Desk)
        {
            var web = WebApplication.CreateEmptyBuilder(new() { EnvironmentName = "Test", ContentRootPath = AppContext.BaseDirectory });
            web.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
            web.Services.AddRouting();
            Configure(web);
            web.AddAccessFor(null);
            if (Role == InstanceRole.Door)
                web.AddIngest();
            else
                web.AddQuery();
            Substitute(web);
            var app = web.Build();
            app.UseAccess();
            return Role == InstanceRole.Door ? app.MapIngest() : app.MapQuery();
        }

        var builder = Host.CreateEmptyApplicationBuilder(new() { ApplicationName = Name });
        Configure(builder);
        switch (Role)
        {
            case InstanceRole.Archiver:
                builder.AddBlobArchiver();
                break;
            case InstanceRole.Metrics:
                builder.AddMetrics();
                break;
            default:
                builder.AddStreaming();
                break;
        }

        Substitute(builder);
        if (Role is InstanceRole.Archiver or InstanceRole.Metrics)
            DisorderlyConsumer.AddTo(builder, _faults);
        return builder.Build();
    }

    private void Configure(IHostApplicationBuilder builder)
    {
        builder.Services.AddSingleton<TimeProvider>(_clock);
        builder.Services.AddSingleton<IHostLifetime, InstanceLifetime>();
        builder.Logging.AddProvider(_log).SetMinimumLevel(LogLevel.Information);
        builder.Services.Configure<HostOptions>(o => o.ShutdownTimeout = EndDeadline);
        builder.Configuration.AddInMemoryCollection(InstanceSettings.Of(_place, Name, _database.ConnectionString));
    }

    /// <summary>The service's own client, but through the proxy and with less patience: a run has no minutes.</summary>
    private void Substitute(IHostApplicationBuilder builder)
    {
        var options = new BlobClientOptions(BlobClientOptions.ServiceVersion.V2025_01_05)
        {
            Retry = { MaxRetries = 2, Delay = TimeSpan.FromMilliseconds(20), MaxDelay = TimeSpan.FromMilliseconds(100), NetworkTimeout = TimeSpan.FromSeconds(1) },
            Diagnostics = { IsLoggingEnabled = false },
        };
        builder.Services.AddSingleton(new BlobServiceClient(WithAddress(_place.BlobConnectionString, _blobs.Address), options));
    }

    private static Uri BlobAddress(string connectionString) => new BlobServiceClient(connectionString).Uri;

    private static string WithAddress(string connectionString, Uri address) =>
        string.Join(';', connectionString.Split(';').Select(part => part.StartsWith("BlobEndpoint=", StringComparison.OrdinalIgnoreCase) ? $"BlobEndpoint={address}" : part));
}
