using System.Diagnostics;
using System.Reflection;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace PaymentPlatform.ServiceDefaults.Tests.Access;

/// <summary>A service's own program, from its first line to its last, in this process: so that its endpoints can be counted as well as called.</summary>
internal sealed class RunningService : IAsyncDisposable
{
    private readonly IHost _host;
    private readonly Task _program;

    private RunningService(IHost host, Task program) => (_host, _program) = (host, program);

    public IServiceProvider Services => _host.Services;

    public Uri Address => new(Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());

    public static async Task<RunningService> StartAsync(Assembly assembly, IEnumerable<KeyValuePair<string, string?>> settings)
    {
        var arguments = settings.Select(setting => $"--{setting.Key}={setting.Value}").Append("--urls=http://127.0.0.1:0").ToArray();
        var built = new TaskCompletionSource<IHost>(TaskCreationOptions.RunContinuationsAsynchronously);
        using var watch = new HostWatch(built);
        using var subscription = DiagnosticListener.AllListeners.Subscribe(watch);
        var program = Task.Factory.StartNew(
            () =>
            {
                HostWatch.Mine.Value = watch;
                assembly.EntryPoint!.Invoke(null, [arguments]);
            },
            TaskCreationOptions.LongRunning);
        await Task.WhenAny(built.Task, program);
        if (program.IsCompleted)
            await program;
        var host = await built.Task.WaitAsync(TimeSpan.FromMinutes(1));
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        host.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStarted.Register(() => started.TrySetResult());
        await Task.WhenAny(started.Task, program).WaitAsync(TimeSpan.FromMinutes(1));
        if (program.IsCompleted)
            await program;
        return new(host, program);
    }

    public async ValueTask DisposeAsync()
    {
        Services.GetRequiredService<IHostApplicationLifetime>().StopApplication();
        await _program.WaitAsync(TimeSpan.FromMinutes(1));
    }

    /// <summary>Hosts announce themselves; the one that is built in the program's own flow is ours.</summary>
    private sealed class HostWatch(TaskCompletionSource<IHost> built) : IObserver<DiagnosticListener>, IObserver<KeyValuePair<string, object?>>, IDisposable
    {
        public static readonly AsyncLocal<HostWatch?> Mine = new();

        private readonly List<IDisposable> _subscriptions = [];

        public void OnNext(DiagnosticListener value)
        {
            if (value.Name != "Microsoft.Extensions.Hosting")
                return;
            lock (_subscriptions)
                _subscriptions.Add(value.Subscribe(this));
        }

        public void OnNext(KeyValuePair<string, object?> value)
        {
            if (Mine.Value == this && value is { Key: "HostBuilt", Value: IHost host })
                built.TrySetResult(host);
        }

        public void OnCompleted()
        {
        }

        public void OnError(Exception error)
        {
        }

        public void Dispose()
        {
            lock (_subscriptions)
                _subscriptions.ForEach(subscription => subscription.Dispose());
        }
    }
}
