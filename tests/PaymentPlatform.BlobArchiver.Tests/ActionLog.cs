using Microsoft.Extensions.Time.Testing;

namespace PaymentPlatform.BlobArchiver.Tests;

/// <summary>What happened, in order, with the second of the virtual clock.</summary>
internal sealed class ActionLog(FakeTimeProvider clock)
{
    private readonly DateTimeOffset _start = clock.GetUtcNow();
    private readonly List<string> _actions = [];

    public void Add(string action)
    {
        lock (_actions)
            _actions.Add($"{(clock.GetUtcNow() - _start).TotalSeconds:0.##}: {action}");
    }

    public string[] ToArray()
    {
        lock (_actions)
            return [.. _actions];
    }
}
