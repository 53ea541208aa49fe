namespace PaymentPlatform.BlobArchiver.Tests;

/// <summary>Stops a writer the first time it comes to a stage.</summary>
internal sealed class Pause(WriteStage where) : IDisposable
{
    private readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _resume = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _times;

    public Task Reached => _reached.Task.WaitAsync(TimeSpan.FromMinutes(2));

    public void Resume() => _resume.TrySetResult();

    public async Task ReachedAsync(WriteStage stage, Guid fileId, CancellationToken cancellationToken)
    {
        if (stage != where || Interlocked.Increment(ref _times) > 1)
            return;
        _reached.TrySetResult();
        await _resume.Task.WaitAsync(cancellationToken);
    }

    public void Dispose() => Resume();
}
