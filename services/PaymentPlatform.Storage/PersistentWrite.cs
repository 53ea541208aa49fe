namespace PaymentPlatform.Storage;

/// <summary>Writes that must not be lost: what they note has happened, and is nowhere else.</summary>
public static class PersistentWrite
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    /// <summary>Tries each second for as long as the store is away (<see cref="Faults.IsStoreDown"/>); other faults are thrown.</summary>
    /// <param name="write">Safe to run again after it failed half-way.</param>
    /// <param name="failed">Gets each fault, as a line for the log.</param>
    /// <param name="stopping">Ends it: what was not taken by then is not written.</param>
    /// <exception cref="OperationCanceledException">Stopped between two attempts; in an attempt, its fault is thrown.</exception>
    public static async Task<T> UntilTakenAsync<T>(Func<Task<T>> write, Action<string> failed, TimeProvider time, CancellationToken stopping)
    {
        while (true)
        {
            try
            {
                return await write();
            }
            catch (Exception exception) when (Faults.IsStoreDown(exception) && !stopping.IsCancellationRequested)
            {
                failed(Faults.Describe(exception));
            }

            await Task.Delay(Pause, time, stopping);
        }
    }

    /// <inheritdoc cref="UntilTakenAsync{T}"/>
    public static Task UntilTakenAsync(Func<Task> write, Action<string> failed, TimeProvider time, CancellationToken stopping) => UntilTakenAsync(
        async () =>
        {
            await write();
            return true;
        },
        failed, time, stopping);
}
