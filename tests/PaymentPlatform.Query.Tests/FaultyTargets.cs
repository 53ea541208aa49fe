using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using PaymentPlatform.Streaming;

namespace PaymentPlatform.Query.Tests;

/// <summary>Publishers that do something before and after each append.</summary>
internal sealed class FaultyTargets(StreamTargets inner, IConfiguration configuration) : StreamTargets(configuration, TimeProvider.System)
{
    private int _calls;

    /// <summary>Before the append of the call with this number, counted from 1 over all publishers.</summary>
    public Func<int, Task> Before { get; set; } = _ => Task.CompletedTask;

    /// <summary>Once the events are in the target.</summary>
    public Func<int, Task> After { get; set; } = _ => Task.CompletedTask;

    public int Calls => Volatile.Read(ref _calls);

    public override bool IsOwn(string stream) => inner.IsOwn(stream);

    /// <summary>In the place of the one that is registered.</summary>
    public static void AddTo(IServiceCollection services) => AddTo(services, _ => { });

    /// <param name="configure">For what may be published as soon as the host starts.</param>
    public static void AddTo(IServiceCollection services, Action<FaultyTargets> configure)
    {
        var registered = services.Last(s => s.ServiceType == typeof(StreamTargets));
        services.AddSingleton<StreamTargets>(provider =>
        {
            var targets = new FaultyTargets((StreamTargets)ActivatorUtilities.CreateInstance(provider, registered.ImplementationType!), provider.GetRequiredService<IConfiguration>());
            configure(targets);
            return targets;
        });
    }

    public static FaultyTargets Of(QueryHost host) => (FaultyTargets)host.App.Services.GetRequiredService<StreamTargets>();

    protected override async Task<MessagePublisher> OpenInspectedAsync(string stream, CancellationToken cancellationToken) => new Publisher(this, await inner.OpenAsync(stream, cancellationToken));

    private sealed class Publisher(FaultyTargets faults, MessagePublisher inner) : MessagePublisher
    {
        public override async ValueTask<IReadOnlyList<ClaimOutcome>> PublishAsync(ReadOnlyMemory<Message> messages, IReadOnlyList<IdempotencyClaim> claims, CancellationToken cancellationToken)
        {
            var call = Interlocked.Increment(ref faults._calls);
            await faults.Before(call);
            var outcomes = await inner.PublishAsync(messages, claims, cancellationToken);
            await faults.After(call);
            return outcomes;
        }

        public override ValueTask DisposeAsync() => inner.DisposeAsync();
    }
}
