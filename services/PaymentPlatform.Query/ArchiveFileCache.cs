using System.Security.Cryptography;
using Azure;
using Microsoft.Extensions.Options;
using PaymentPlatform.Storage.Archive;
using PaymentPlatform.Storage.Database;

namespace PaymentPlatform.Query;

/// <summary>
/// Local copies of archive files, named by their SHA-256, bounded in bytes, least recently used out first.
/// A copy is checked against the manifest before the first use; concurrent requests for one file fetch it once; a file in use is never removed.
/// </summary>
public sealed partial class ArchiveFileCache : IDisposable
{
    private readonly HybridConnectionManager _connections;
    private readonly QueryTelemetry _telemetry;
    private readonly ILogger<ArchiveFileCache> _logger;
    private readonly long _capacity;
    private readonly SemaphoreSlim _downloads;
    private readonly CancellationTokenSource _closing = new();
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Entry> _entries = [];
    private readonly LinkedList<Entry> _byUse = [];
    private readonly CacheDirectory _directory;
    private long _bytes;

    public ArchiveFileCache(HybridConnectionManager connections, IOptions<QueryOptions> options, QueryTelemetry telemetry, ILogger<ArchiveFileCache> logger)
    {
        (_connections, _telemetry, _logger) = (connections, telemetry, logger);
        _capacity = options.Value.CacheBytes;
        _downloads = new(options.Value.Downloads);
        _directory = CacheDirectory.Claim(options.Value.CacheDirectory);
        foreach (var file in _directory.ExistingCopies())
        {
            var entry = new Entry(Path.GetFileNameWithoutExtension(file.Name), file.FullName) { Bytes = file.Length };
            _entries.Add(entry.Sha256, entry);
            entry.Node = _byUse.AddLast(entry);
            _bytes += entry.Bytes;
        }

        Evict();
        telemetry.ObserveCacheSize(() => Bytes);
        LogOpened(_directory.Path, _entries.Count, _bytes);
    }

    /// <summary>Everything that the query engine reads or writes is under this one.</summary>
    public CacheDirectory Directory => _directory;

    public long Bytes => Interlocked.Read(ref _bytes);

    /// <summary>The local copies of all the files, held until disposed.</summary>
    /// <exception cref="ArchiveFileException">A blob is missing, damaged, archived or out of reach.</exception>
    public async Task<CachedFiles> AcquireAsync(IReadOnlyList<ArchiveFile> files, CancellationToken cancellationToken)
    {
        var held = new List<Entry>(files.Count);
        var names = new Dictionary<string, string>(files.Count);
        var result = new CachedFiles(names, () => Release(held));
        try
        {
            var waiting = new List<(ArchiveFile File, Task Ready)>(files.Count);
            foreach (var file in files)
            {
                var (entry, ready) = Hold(file);
                held.Add(entry);
                names[entry.Path] = file.BlobName;
                if (!ready.IsCompletedSuccessfully)
                    waiting.Add((file, ready));
            }

            foreach (var (_, ready) in waiting)
                await ready.WaitAsync(cancellationToken);
            return result;
        }
        catch
        {
            result.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        _closing.Cancel();
        _directory.Dispose();
    }

    private (Entry Entry, Task Ready) Hold(ArchiveFile file)
    {
        lock (_lock)
        {
            if (!_entries.TryGetValue(file.Sha256, out var entry))
            {
                entry = new(file.Sha256, _directory.CopyPath(file.Sha256));
                _entries.Add(file.Sha256, entry);
            }
            else if (entry.Node is { } node)
            {
                _byUse.Remove(node);
                entry.Node = null;
            }

            entry.Users++;
            _telemetry.CacheRequest(entry.Ready is not null || entry.Bytes > 0);
            // Not tied to the caller: another one may wait for the same file by the time this one has gone.
            entry.Ready ??= Task.Run(() => PrepareAsync(entry, file, _closing.Token));
            return (entry, entry.Ready);
        }
    }

    private void Release(List<Entry> entries)
    {
        lock (_lock)
        {
            foreach (var entry in entries)
            {
                if (--entry.Users > 0)
                    continue;
                if (IsCurrent(entry))
                    entry.Node = _byUse.AddLast(entry);
            }

            Evict();
        }
    }

    private void Evict()
    {
        lock (_lock)
        {
            for (var node = _byUse.First; node is not null && _bytes > _capacity;)
            {
                var entry = node.Value;
                node = node.Next;
                // A caller that went away left its download running.
                if (entry.Ready is { IsCompleted: false })
                    continue;
                Forget(entry);
                TryDelete(entry.Path);
            }
        }
    }

    /// <summary>False once it has failed: another entry may have its place, and its file, by now.</summary>
    private bool IsCurrent(Entry entry) => _entries.TryGetValue(entry.Sha256, out var current) && ReferenceEquals(current, entry);

    private void Forget(Entry entry)
    {
        if (!IsCurrent(entry))
            return;
        _entries.Remove(entry.Sha256);
        Interlocked.Add(ref _bytes, -entry.Bytes);
        entry.Bytes = 0;
        if (entry.Node is not null)
            _byUse.Remove(entry.Node);
        entry.Node = null;
    }

    private async Task PrepareAsync(Entry entry, ArchiveFile file, CancellationToken cancellationToken)
    {
        await _downloads.WaitAsync(cancellationToken);
        try
        {
            // A copy of an earlier run: the disk is not trusted with evidence either.
            if (entry.Bytes > 0 && await IsIntactAsync(entry.Path, file, cancellationToken))
                return;
            TryDelete(entry.Path);
            await DownloadAsync(file, entry.Path, cancellationToken);
            lock (_lock)
            {
                Interlocked.Add(ref _bytes, file.Bytes - entry.Bytes);
                entry.Bytes = file.Bytes;
                Evict();
            }

            _telemetry.Downloaded(file.Bytes);
            LogFetched(file.BlobName, file.Bytes);
        }
        catch (Exception exception)
        {
            lock (_lock)
            {
                // The next request tries again.
                Forget(entry);
            }

            if (exception is ArchiveFileException or OperationCanceledException)
                throw;
            throw new ArchiveFileException(file.BlobName, Explain(file, exception), exception) { IsArchived = IsArchived(exception) };
        }
        finally
        {
            _downloads.Release();
        }
    }

    private async Task DownloadAsync(ArchiveFile file, string path, CancellationToken cancellationToken)
    {
        var temporary = _directory.TemporaryPath();
        try
        {
            if (!await new ArchiveBlobs(_connections.RawEvents).FetchAsync(file.BlobName, temporary, file.Bytes, Convert.FromHexString(file.Sha256), cancellationToken))
                throw new ArchiveFileException(file.BlobName, LostFile.Damaged(file.BlobName));
            File.Move(temporary, path, overwrite: true);
        }
        finally
        {
            TryDelete(temporary);
        }
    }

    private static async Task<bool> IsIntactAsync(string path, ArchiveFile file, CancellationToken cancellationToken)
    {
        try
        {
            await using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
            return stream.Length == file.Bytes && Convert.ToHexStringLower(await SHA256.HashDataAsync(stream, cancellationToken)) == file.Sha256;
        }
        catch (IOException)
        {
            return false;
        }
    }

    private static string Explain(ArchiveFile file, Exception exception) => exception switch
    {
        RequestFailedException { Status: 404 } => LostFile.Missing(file.BlobName),
        RequestFailedException when IsArchived(exception) =>
            $"The archive file {file.BlobName} is in the archive tier. Ask for the range or the file with POST /v1/archive/rehydrations; that takes hours, GET /v1/archive/rehydrations says how far it is.",
        IOException => $"The archive file {file.BlobName} could not be kept in the local cache: {exception.Message}",
        _ => $"The archive file {file.BlobName} could not be fetched: the blob store does not answer. Try again.",
    };

    private static bool IsArchived(Exception exception) => exception is RequestFailedException { ErrorCode: "BlobArchived" or "BlobBeingRehydrated" };

    private void TryDelete(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            LogNotDeleted(path, exception.Message);
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Archive cache in {Path}: {Files} files, {Bytes} bytes")]
    private partial void LogOpened(string path, int files, long bytes);

    [LoggerMessage(Level = LogLevel.Debug, Message = "Fetched {Blob}, {Bytes} bytes")]
    private partial void LogFetched(string blob, long bytes);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Path} could not be deleted: {Fault}")]
    private partial void LogNotDeleted(string path, string fault);

    private sealed class Entry(string sha256, string path)
    {
        public string Sha256 => sha256;

        public string Path => path;

        public long Bytes { get; set; }

        public int Users { get; set; }

        /// <summary>Set while nobody uses it.</summary>
        public LinkedListNode<Entry>? Node { get; set; }

        /// <summary>Null until the copy was asked for in this run.</summary>
        public Task? Ready { get; set; }
    }
}
