namespace PaymentPlatform.Simulator;

/// <summary>Writes lines to a file or to standard output.</summary>
internal sealed class FileEventSender(Stream output) : EventSender
{
    public override int Concurrency => 1;

    public override async Task<SendOutcome> SendAsync(EventBatch batch, TrafficStatistics statistics, CancellationToken cancellationToken)
    {
        try
        {
            await output.WriteAsync(batch.Body, cancellationToken);
        }
        catch (IOException exception)
        {
            throw new SimulatorException($"The events can't be written: {exception.Message}", exception);
        }

        return new(batch.Count, 0, []);
    }

    public override ValueTask DisposeAsync() => output.DisposeAsync();
}
