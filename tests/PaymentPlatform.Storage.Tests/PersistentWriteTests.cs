using Microsoft.Extensions.Time.Testing;

namespace PaymentPlatform.Storage.Tests;

public sealed class PersistentWriteTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly List<string> _faults = [];
    private readonly CancellationTokenSource _stop = new();
    private int _attempts;

    [Fact]
    public async Task UntilTaken_StoreIsAway_TriesEachSecond()
    {
        var writing = WriteAsync(failures: 2, new IOException("Away."));
        Assert.Equal(1, _attempts);
        _time.Advance(TimeSpan.FromSeconds(0.9));
        Assert.Equal(1, _attempts);
        _time.Advance(TimeSpan.FromSeconds(0.1));
        Assert.Equal(2, _attempts);
        _time.Advance(TimeSpan.FromSeconds(1));

        Assert.Equal(3, await writing);
        Assert.Equal(["IOException: Away.", "IOException: Away."], _faults);
    }

    [Fact]
    public async Task UntilTaken_AnotherFault_IsThrown()
    {
        await Assert.ThrowsAsync<InvalidOperationException>(() => WriteAsync(failures: 1, new InvalidOperationException("No.")));
        Assert.Empty(_faults);
    }

    [Fact]
    public async Task UntilTaken_StoppedBetweenAttempts_EndsWithoutAnother()
    {
        var writing = WriteAsync(failures: int.MaxValue, new IOException("Away."));
        await _stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => writing);
        Assert.Equal(1, _attempts);
    }

    [Fact]
    public async Task UntilTaken_StoppedInAnAttempt_ThrowsItsFault()
    {
        await _stop.CancelAsync();
        await Assert.ThrowsAsync<IOException>(() => WriteAsync(failures: 1, new IOException("Away.")));
    }

    private Task<int> WriteAsync(int failures, Exception fault) =>
        PersistentWrite.UntilTakenAsync(() => ++_attempts <= failures ? Task.FromException<int>(fault) : Task.FromResult(_attempts), _faults.Add, _time, _stop.Token);
}
