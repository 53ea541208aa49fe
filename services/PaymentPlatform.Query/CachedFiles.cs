namespace PaymentPlatform.Query;

/// <summary>Local copies that stay while this is held.</summary>
/// <param name="blobNames">Blob name by local path.</param>
public sealed class CachedFiles(IReadOnlyDictionary<string, string> blobNames, Action release) : IDisposable
{
    private Action? _release = release;

    public IReadOnlyDictionary<string, string> BlobNames => blobNames;

    public void Dispose() => Interlocked.Exchange(ref _release, null)?.Invoke();
}
