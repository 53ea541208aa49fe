using Microsoft.Extensions.Hosting;

namespace PaymentPlatform.Faults.Instances;

/// <summary>An instance ends when the harness says so. A signal is for the harness: a host that took it would stop instead, and the harness go on.</summary>
internal sealed class InstanceLifetime : IHostLifetime
{
    public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
