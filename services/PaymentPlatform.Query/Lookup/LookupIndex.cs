using System.Text;
using Azure;
using Microsoft.Extensions.Options;
using PaymentPlatform.Storage;
using PaymentPlatform.Storage.Archive;

namespace PaymentPlatform.Query.Lookup;

/// <summary>
/// Tells which archive files may hold a transaction, by the Bloom filters of all live files: in memory up to <see cref="QueryOptions.LookupIndexBytes"/>, the rest on disk. It follows the manifest
/// by its generations, fetches the filters of new files from their blobs' ends, and keeps them over a restart. A file whose filters can't be had or trusted is always among the answer.
/// </summary>
internal sealed partial class LookupIndex : IDisposable
{
    private static readonly TimeSpan RetryDelay = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan RewriteDelay = TimeSpan.FromMinutes(10);

    private readonly ManifestReader _manifest;
    private readonly FilterFetcher _fetcher;
    private readonly FilterStore _store;
    private readonly TimeProvider _timeProvider;
    private readonly ILogger<LookupIndex> _logger;
    private readonly long _capacity;
    private readonly SemaphoreSlim _refreshing = new(1, 1);
    private readonly SemaphoreSlim _fetches;
    private readonly CancellationTokenSource _closing = new();
    private readonly Lock _lock = new();
    private readonly Dictionary<string, IndexedFile> _files = new(StringComparer.Ordinal);
    private LookupView? _view;
    private bool _isLoaded;
    private long _generation;
    private long _memory;
    private long _storeFailedAt;
    private Task _rewriting = Task.CompletedTask;
    private DateTimeOffset _rewriteAt;
    private bool _hasDead;

    public LookupIndex(
        ManifestReader manifest, FilterFetcher fetcher, ArchiveFileCache cache, IOptions<QueryOptions> options, QueryTelemetry telemetry, TimeProvider timeProvider, ILogger<LookupIndex> logger)
    {
        (_manifest, _fetcher, _timeProvider, _logger) = (manifest, fetcher, timeProvider, logger);
        _store = new(cache.Directory.Lookup, options.Value.LookupGarbageBytes);
        _capacity = options.Value.LookupIndexBytes;
        _fetches = new(options.Value.Downloads);
        telemetry.ObserveLookupIndex(() => Interlocked.Read(ref _memory), () => Count(f => f.Filters is not null), () => Count(f => f.Filters is null));
    }

    /// <summary>Bytes of filters in memory.</summary>
    public long MemoryBytes => Interlocked.Read(ref _memory);

    /// <summary>The live files that may hold the transaction, after the filters of new files are there.</summary>
    /// <returns>Together with the generation that this holds for.</returns>
    public async Task<ManifestView> FindAsync(string transactionId, CancellationToken cancellationToken)
    {
        await RefreshAsync(cancellationToken);
        var probe = new BloomProbe(Encoding.UTF8.GetBytes(transactionId));
        var view = await ViewAsync(cancellationToken);
        var files = view.ReadsDisk ? await Task.Run(() => view.Find(probe, _store, Distrust), cancellationToken) : view.Find(probe, _store, Distrust);
        return new(files, view.Generation);
    }

    /// <summary>Takes in what has changed in the manifest, and waits until the filters are fetched as far as they can be.</summary>
    public async Task FillAsync(CancellationToken cancellationToken)
    {
        await RefreshAsync(cancellationToken);
        await ViewAsync(cancellationToken);
    }

    public void Dispose()
    {
        _closing.Cancel();
        Task[] loading;
        lock (_lock)
            loading = [.. _files.Values.Select(f => f.Loading).OfType<Task>(), _rewriting];
        Task.WaitAll(loading);
        _store.Dispose();
    }

    private async Task RefreshAsync(CancellationToken cancellationToken)
    {
        await _refreshing.WaitAsync(cancellationToken);
        try
        {
            var changes = await _manifest.FindChangesAsync(_generation, cancellationToken);
            if (changes.Generation < _generation)
                // Another database, or one that was set back.
                changes = await _manifest.FindChangesAsync(0, cancellationToken);
            if (changes.Generation != _generation)
                Apply(changes);
            if (!_isLoaded)
                await Task.Run(LoadStored, CancellationToken.None);
            _isLoaded = true;
            lock (_lock)
            {
                BeginLoading();
                BeginRewriting();
            }
        }
        finally
        {
            _refreshing.Release();
        }
    }

    private void Apply(ManifestChanges changes)
    {
        lock (_lock)
        {
            if (changes.Generation < _generation)
            {
                foreach (var file in _files.Values.ToArray())
                    Forget(file);
            }

            foreach (var (file, isLive) in changes.Files)
            {
                if (isLive)
                    _files.TryAdd(file.BlobName, new(file));
                else if (_files.TryGetValue(file.BlobName, out var gone))
                    Forget(gone);
            }

            (_generation, _view) = (changes.Generation, null);
        }
    }

    private void Forget(IndexedFile file)
    {
        _view = null;
        _files.Remove(file.File.BlobName);
        Release(file);
    }

    private void Release(IndexedFile file)
    {
        Interlocked.Add(ref _memory, -(file.Bits?.Length ?? 0));
        _hasDead |= file.Filters is not null;
        (file.Filters, file.Bits) = (null, null);
    }

    /// <summary>Once, before the first filter is fetched.</summary>
    private void LoadStored()
    {
        ILookup<string, IndexedFile> files;
        lock (_lock)
            files = _files.Values.ToLookup(f => f.File.Sha256);
        foreach (var stored in _store.Load(files.Select(f => f.Key).ToHashSet()))
        {
            var fits = Fits(stored.Blocks);
            var bits = fits ? _store.ReadBits(stored) : null;
            // What stays on disk is checked page by page when it is read.
            if (fits && bits is null)
                continue;
            lock (_lock)
            {
                foreach (var file in files[stored.Sha256])
                    Keep(file, stored, bits);
            }
        }

        LogLoaded(Count(f => f.Filters is not null), Count(_ => true), MemoryBytes);
    }

    private bool Fits(int blocks) => MemoryBytes + ((long)blocks * BloomProbe.BlockBytes) <= _capacity;

    private void Keep(IndexedFile file, StoredFilters filters, byte[]? bits)
    {
        Release(file);
        (file.Filters, file.Bits, _view) = (filters, bits, null);
        Interlocked.Add(ref _memory, bits?.Length ?? 0);
    }

    private void BeginLoading()
    {
        var now = _timeProvider.GetUtcNow();
        foreach (var file in _files.Values)
        {
            if (file.Filters is null && !file.IsPending && file.RetryAt <= now)
                file.Loading = Task.Run(() => LoadAsync(file));
        }
    }

    private async Task LoadAsync(IndexedFile file)
    {
        try
        {
            await _fetches.WaitAsync(_closing.Token);
            try
            {
                // While the store is away the other files need not find it out one by one.
                if (Volatile.Read(ref _storeFailedAt) is not 0 and var failed && _timeProvider.GetElapsedTime(failed) < RetryDelay)
                    file.RetryAt = _timeProvider.GetUtcNow() + RetryDelay;
                else
                    Take(file, await _fetcher.FetchAsync(file.File, _closing.Token));
            }
            finally
            {
                _fetches.Release();
            }
        }
        catch (OperationCanceledException) when (_closing.IsCancellationRequested)
        {
        }
        catch (Exception exception)
        {
            file.RetryAt = _timeProvider.GetUtcNow() + RetryDelay;
            if (exception is not (InvalidDataException or RequestFailedException { Status: 404 or 409 }))
                Volatile.Write(ref _storeFailedAt, _timeProvider.GetTimestamp());
            LogNotLoaded(file.File.BlobName, Faults.Describe(exception).TrimEnd('.'));
        }
    }

    private void BeginRewriting()
    {
        if (!_hasDead || !_rewriting.IsCompleted || _rewriteAt > _timeProvider.GetUtcNow())
            return;
        _hasDead = false;
        var live = Stored();
        if (_store.IsMostlyDead(live))
            _rewriting = Task.Run(() => Rewrite(live));
    }

    private HashSet<StoredFilters> Stored() => [.. _files.Values.Select(f => f.Filters).OfType<StoredFilters>()];

    /// <summary>Look-ups and new files go on while it copies.</summary>
    private void Rewrite(HashSet<StoredFilters> live)
    {
        try
        {
            var copy = _store.CopyLive(live);
            lock (_lock)
            {
                var wanted = Stored();
                var here = wanted.Where(_store.IsHere).ToHashSet();
                _store.Replace(copy, wanted);
                // What could not be read is not in the new file: it is fetched again.
                foreach (var file in _files.Values.Where(f => f.Filters is not null && here.Contains(f.Filters) && !_store.IsHere(f.Filters) && f.Bits is null).ToList())
                    Release(file);
                _view = null;
            }

            LogRewritten(live.Count);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            lock (_lock)
                (_rewriteAt, _hasDead) = (_timeProvider.GetUtcNow() + RewriteDelay, true);
            LogNotRewritten(exception.Message);
        }
    }

    private void Take(IndexedFile file, TransactionIdFilters? filters)
    {
        Volatile.Write(ref _storeFailedAt, 0);
        lock (_lock)
        {
            if (!_files.TryGetValue(file.File.BlobName, out var current) || !ReferenceEquals(current, file))
                return;
            var bits = filters is not null && Fits(filters.Bits.Length / BloomProbe.BlockBytes) ? filters.Bits : null;
            Keep(file, Store(file, filters, bits is not null), bits);
        }
    }

    private StoredFilters Store(IndexedFile file, TransactionIdFilters? filters, bool isInMemory)
    {
        try
        {
            return _store.Append(file.File.Sha256, filters);
        }
        catch (IOException exception) when (isInMemory || filters is null)
        {
            LogNotStored(file.File.BlobName, exception.Message);
            return new(file.File.Sha256, 0, filters is null ? [] : [.. filters.BlockCounts], edition: null);
        }
    }

    /// <summary>The filters on disk are damaged: they are fetched again.</summary>
    private void Distrust(IndexedFile file)
    {
        LogDamaged(file.File.BlobName);
        lock (_lock)
        {
            Release(file);
            _view = null;
        }
    }

    private async Task<LookupView> ViewAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            Task[] pending;
            lock (_lock)
            {
                if (_view is { } view)
                    return view;
                pending = [.. _files.Values.Where(f => f.IsPending).Select(f => f.Loading!)];
                if (pending.Length == 0)
                    return _view = new(_generation, _files.Values);
            }

            await Task.WhenAll(pending).WaitAsync(cancellationToken);
        }
    }

    private long Count(Func<IndexedFile, bool> which)
    {
        lock (_lock)
            return _files.Values.Count(which);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Lookup index: filters of {Found} of {Files} files were there from an earlier run, {Bytes} bytes of them in memory")]
    private partial void LogLoaded(long found, long files, long bytes);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The Bloom filters of {Blob} can't be had: {Fault}. Every lookup reads the file until they can.")]
    private partial void LogNotLoaded(string blob, string fault);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The Bloom filters of {Blob} are in memory only: {Fault}")]
    private partial void LogNotStored(string blob, string fault);

    [LoggerMessage(Level = LogLevel.Information, Message = "Lookup index: rewritten for the {Files} files that are live; most of it was of others")]
    private partial void LogRewritten(int files);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The lookup index can't be rewritten without what is dead, it is tried again: {Fault}")]
    private partial void LogNotRewritten(string fault);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The local copy of the Bloom filters of {Blob} is damaged; they are fetched again.")]
    private partial void LogDamaged(string blob);
}
