namespace PaymentPlatform.Simulator;

/// <summary>Writes the line of each event that was answered as accepted, so that a checker can compare.</summary>
internal sealed class AcceptedRecorder(Stream output) : IDisposable
{
    private readonly Lock _lock = new();

    public void Record(EventBatch batch, SendOutcome outcome)
    {
        lock (_lock)
        {
            if (outcome.Rejected == 0)
            {
                output.Write(batch.Body.Span);
                return;
            }

            var rejected = outcome.RejectedIndexes.ToHashSet();
            for (var i = 0; i < batch.Count; i++)
            {
                if (rejected.Contains(i))
                    continue;
                output.Write(batch.Line(i).Span);
                output.Write("\n"u8);
            }
        }
    }

    public void Dispose() => output.Dispose();
}
