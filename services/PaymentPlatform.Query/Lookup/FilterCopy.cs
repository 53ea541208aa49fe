using Microsoft.Win32.SafeHandles;

namespace PaymentPlatform.Query.Lookup;

/// <summary>Records on their way to the file that will be the <see cref="FilterStore"/>'s.</summary>
internal sealed class FilterCopy(SafeFileHandle file, string path) : IDisposable
{
    private readonly List<(StoredFilters Filters, long Position)> _positions = [];
    private bool _isReleased;

    public long End { get; private set; }

    /// <summary>Where the filters are in the copy.</summary>
    public IReadOnlyList<(StoredFilters Filters, long Position)> Positions => _positions;

    /// <param name="record">Head and pages.</param>
    public void Append(StoredFilters filters, byte[] record)
    {
        RandomAccess.Write(file, record, End);
        _positions.Add((filters, End + filters.Position - filters.Start));
        End += record.Length;
    }

    /// <summary>The file is the caller's from now on.</summary>
    public SafeFileHandle Release()
    {
        _isReleased = true;
        return file;
    }

    public void Dispose()
    {
        if (_isReleased)
            return;
        file.Dispose();
        File.Delete(path);
    }
}
