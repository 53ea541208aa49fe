using System.Buffers;
using System.Buffers.Binary;
using System.IO.Hashing;
using Microsoft.Win32.SafeHandles;
using PaymentPlatform.Storage.Archive;

namespace PaymentPlatform.Query.Lookup;

/// <summary>
/// The filters of all archive files in one local file, so that a restart need not fetch them again and more of them fit than memory holds. Records are appended: a head
/// (magic, number of row groups, the archive file's SHA-256, blocks of each filter, xxHash64 of all that), then the filters' <see cref="FilterPages"/>.
/// Everything is checked when it is read: what is damaged is not there. Reads may run at any time, and while <see cref="CopyLive"/> runs appends may; the rest one at a time.
/// </summary>
internal sealed class FilterStore : IDisposable
{
    private const uint Magic = 0x31465050; // PPF1
    private const int FixedHeadBytes = 40;
    private const int Sha256Bytes = 32;
    private const int MaxGroups = 1 << 20;

    private readonly string _path;
    private readonly long _minGarbage;
    private readonly ReaderWriterLockSlim _moving = new();
    private SafeFileHandle _file;
    private long _end;
    private int _edition;

    /// <param name="directory">Exists; for this process alone.</param>
    /// <param name="minGarbage">Bytes: less is not worth rewriting the file for.</param>
    public FilterStore(string directory, long minGarbage)
    {
        _minGarbage = minGarbage;
        _path = Path.Combine(directory, "filters.bin");
        _file = Open(_path);
    }

    /// <summary>Finds the records of an earlier run, and drops the others when they are most of the file. Before anything else.</summary>
    /// <param name="live">Names by SHA-256 whose filters are wanted.</param>
    public IReadOnlyCollection<StoredFilters> Load(IReadOnlySet<string> live)
    {
        var found = new Dictionary<string, StoredFilters>();
        var length = RandomAccess.GetLength(_file);
        for (_end = 0; ReadHead(_end, length) is { } filters; _end = filters.End)
        {
            if (live.Contains(filters.Sha256))
                found[filters.Sha256] = filters;
        }

        // A torn or damaged head hides what is behind it; that is fetched again.
        RandomAccess.SetLength(_file, _end);
        if (!IsMostlyDead(found.Values))
            return found.Values;
        try
        {
            var copy = CopyLive([.. found.Values]);
            Replace(copy, found.Values);
            return [.. found.Values.Where(IsHere)];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // No room to write it again, or no right: it serves as it is.
            return found.Values;
        }
    }

    /// <summary>Whether the records of others than these are most of the file, and enough to be worth the writing.</summary>
    public bool IsMostlyDead(IReadOnlyCollection<StoredFilters> live)
    {
        var kept = live.Where(IsHere).Sum(f => f.End - f.Start);
        return _end - kept > Math.Max(_minGarbage, kept);
    }

    /// <summary>The first step of rewriting the file: copies these records to another file. Appends may go on meanwhile.</summary>
    /// <exception cref="IOException">The disk is full or broken; the store is as before.</exception>
    public FilterCopy CopyLive(IReadOnlyCollection<StoredFilters> live)
    {
        var temporary = _path + ".new";
        File.Delete(temporary);
        var copy = new FilterCopy(Open(temporary), temporary);
        try
        {
            foreach (var filters in live.Where(IsHere))
            {
                var bytes = new byte[filters.End - filters.Start];
                if (TryRead(bytes, filters.Start))
                    copy.Append(filters, bytes);
            }

            return copy;
        }
        catch
        {
            copy.Dispose();
            throw;
        }
    }

    /// <summary>The second step: takes what was appended since into the copy, which becomes the file. Filters that are not in it are not here any more.</summary>
    /// <param name="live">All whose positions are wanted.</param>
    /// <exception cref="IOException">The disk is full or broken; the store is as before.</exception>
    public void Replace(FilterCopy copy, IReadOnlyCollection<StoredFilters> live)
    {
        using (copy)
        {
            var copied = copy.Positions.Select(p => p.Filters).ToHashSet();
            foreach (var filters in live.Where(f => IsHere(f) && !copied.Contains(f)))
            {
                var bytes = new byte[filters.End - filters.Start];
                if (TryRead(bytes, filters.Start))
                    copy.Append(filters, bytes);
            }

            _moving.EnterWriteLock();
            try
            {
                _file.Dispose();
                try
                {
                    File.Move(_path + ".new", _path, overwrite: true);
                    _file = copy.Release();
                    (_end, _edition) = (copy.End, _edition + 1);
                    foreach (var (filters, position) in copy.Positions)
                        (filters.Position, filters.Edition) = (position, _edition);
                }
                catch
                {
                    _file = Open(_path);
                    throw;
                }
            }
            finally
            {
                _moving.ExitWriteLock();
            }
        }
    }

    /// <summary>False for filters that are in memory alone, and for those of files that had ceased to be live when the store was rewritten.</summary>
    public bool IsHere(StoredFilters filters) => filters.Edition == _edition;

    /// <param name="filters">Null: the archive file has none, which is worth knowing too.</param>
    /// <exception cref="IOException">The disk is full or broken; the store is as before.</exception>
    public StoredFilters Append(string sha256, TransactionIdFilters? filters)
    {
        var stored = new StoredFilters(sha256, _end + HeadBytes(filters?.BlockCounts.Count ?? 0), filters is null ? [] : [.. filters.BlockCounts], _edition);
        var record = ArrayPool<byte>.Shared.Rent((int)(stored.End - _end));
        try
        {
            var bytes = record.AsSpan(0, (int)(stored.End - _end));
            WriteHead(stored, bytes);
            FilterPages.Write(filters is null ? [] : filters.Bits, stored.Owner, bytes[(int)(stored.Position - _end)..]);
            RandomAccess.Write(_file, bytes, _end);
            _end = stored.End;
            return stored;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(record);
        }
    }

    /// <returns>All blocks; null when they are damaged.</returns>
    public byte[]? ReadBits(StoredFilters filters)
    {
        var size = checked((int)FilterPages.Bytes(filters.Blocks));
        var pages = ArrayPool<byte>.Shared.Rent(size);
        try
        {
            var bits = GC.AllocateUninitializedArray<byte>(filters.Blocks * BloomProbe.BlockBytes);
            return TryReadHere(filters, pages.AsSpan(0, size), 0) && FilterPages.TryRead(pages.AsSpan(0, size), filters.Owner, bits) ? bits : null;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(pages);
        }
    }

    /// <param name="filters">Of a file that has any.</param>
    /// <returns>Whether the value may be in one of them, as it may in one that is not here any more; null when the disk does not give a sound answer.</returns>
    public bool? MayContain(StoredFilters filters, BloomProbe probe)
    {
        Span<byte> buffer = stackalloc byte[FilterPages.MaxBytes];
        var first = 0;
        foreach (var blocks in filters.BlockCounts)
        {
            var block = first + probe.Block(blocks);
            first += blocks;
            var (offset, bytes, blockOffset) = FilterPages.Find(block, filters.Blocks);
            var page = buffer[..bytes];
            if (!TryReadHere(filters, page, offset) || !FilterPages.IsSoundFor(page, filters.Owner, block))
                return IsHere(filters) ? null : true;
            if (probe.MayBeInBlock(page.Slice(blockOffset, BloomProbe.BlockBytes)))
                return true;
        }

        return false;
    }

    public void Dispose()
    {
        _file.Dispose();
        _moving.Dispose();
    }

    private static SafeFileHandle Open(string path) => File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read | FileShare.Delete, FileOptions.RandomAccess);

    internal static int HeadBytes(int groups) => FixedHeadBytes + (groups * sizeof(int)) + sizeof(ulong);

    private static void WriteHead(StoredFilters filters, Span<byte> head)
    {
        head = head[..HeadBytes(filters.BlockCounts.Length)];
        BinaryPrimitives.WriteUInt32LittleEndian(head, Magic);
        BinaryPrimitives.WriteInt32LittleEndian(head[4..], filters.BlockCounts.Length);
        Convert.FromHexString(filters.Sha256, head.Slice(8, Sha256Bytes), out _, out _);
        for (var i = 0; i < filters.BlockCounts.Length; i++)
            BinaryPrimitives.WriteInt32LittleEndian(head[(FixedHeadBytes + (i * sizeof(int)))..], filters.BlockCounts[i]);
        BinaryPrimitives.WriteUInt64LittleEndian(head[^sizeof(ulong)..], XxHash64.HashToUInt64(head[..^sizeof(ulong)]));
    }

    private StoredFilters? ReadHead(long start, long length)
    {
        Span<byte> fixedHead = stackalloc byte[FixedHeadBytes];
        if (!TryRead(fixedHead, start) || BinaryPrimitives.ReadUInt32LittleEndian(fixedHead) != Magic)
            return null;
        var groups = BinaryPrimitives.ReadInt32LittleEndian(fixedHead[4..]);
        if (groups is < 0 or > MaxGroups)
            return null;
        var head = new byte[HeadBytes(groups)];
        if (!TryRead(head, start) || BinaryPrimitives.ReadUInt64LittleEndian(head.AsSpan(^sizeof(ulong)..)) != XxHash64.HashToUInt64(head.AsSpan(..^sizeof(ulong))))
            return null;
        var counts = new int[groups];
        for (var i = 0; i < groups; i++)
            counts[i] = BinaryPrimitives.ReadInt32LittleEndian(head.AsSpan(FixedHeadBytes + (i * sizeof(int))));
        var filters = new StoredFilters(Convert.ToHexStringLower(head.AsSpan(8, Sha256Bytes)), start + head.Length, counts, _edition);
        return filters.End <= length ? filters : null;
    }

    /// <summary>Position and file of one moment.</summary>
    private bool TryReadHere(StoredFilters filters, Span<byte> bytes, long offset)
    {
        _moving.EnterReadLock();
        try
        {
            return IsHere(filters) && TryRead(bytes, filters.Position + offset);
        }
        finally
        {
            _moving.ExitReadLock();
        }
    }

    private bool TryRead(Span<byte> bytes, long position)
    {
        try
        {
            while (!bytes.IsEmpty)
            {
                var read = RandomAccess.Read(_file, bytes, position);
                if (read == 0)
                    return false;
                bytes = bytes[read..];
                position += read;
            }

            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }
}
