using System.Collections.Concurrent;
using System.Security.Cryptography;

namespace PaymentPlatform.Faults.Proxies;

/// <summary>What the store took, as the wire showed it. Thread-safe.</summary>
internal sealed class BlobObserver
{
    private readonly ConcurrentDictionary<string, string> _written = new();
    private readonly ConcurrentDictionary<string, bool> _torn = new();
    private readonly ConcurrentQueue<string> _rewritten = new();

    /// <summary>The SHA-256 of each blob's bytes, at its first upload, by the blob's name in its container.</summary>
    public IReadOnlyDictionary<string, string> Written => _written;

    /// <summary>Names under which other bytes were taken later.</summary>
    public IReadOnlyCollection<string> Rewritten => _rewritten;

    /// <summary>Whether an upload was cut in its middle: what the store makes of it is not ours.</summary>
    public bool WasTorn(string name) => _torn.ContainsKey(name);

    public void Torn(string path) => _torn[NameOf(path)] = true;

    public void Answered(string method, string path, byte[] body, int status)
    {
        if (method != "PUT" || status != 201)
            return;
        var hash = Convert.ToHexString(SHA256.HashData(body));
        if (_written.GetOrAdd(NameOf(path), hash) != hash)
            _rewritten.Enqueue(NameOf(path));
    }

    /// <summary>Paths begin with the account and the container.</summary>
    private static string NameOf(string path) => path[path.IndexOf("raw_events/", StringComparison.Ordinal)..];
}
