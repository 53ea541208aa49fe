namespace PaymentPlatform.BlobArchiver;

/// <summary>Lets tests stop a writer between two stages. Nothing in production sets it.</summary>
internal sealed class WriteProbe
{
    /// <summary>Called before the stage begins; the file has its id from <see cref="WriteStage.Announce"/> on.</summary>
    public Func<WriteStage, Guid, CancellationToken, Task>? Before { get; set; }

    public Task ReachedAsync(WriteStage stage, Guid fileId, CancellationToken cancellationToken) => Before?.Invoke(stage, fileId, cancellationToken) ?? Task.CompletedTask;
}
