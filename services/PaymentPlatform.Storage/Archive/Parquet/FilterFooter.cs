using System.Text;

namespace PaymentPlatform.Storage.Archive.Parquet;

/// <summary>What a file's footer says about the Bloom filters of <c>transaction_id</c>.</summary>
/// <param name="Checksum">As <see cref="Footer.FiltersChecksumKey"/> has it; null where the file has none.</param>
/// <param name="Filters">Place and length in the file, in the row groups' order.</param>
internal sealed record FilterFooter(long Rows, string? Checksum, List<(long Offset, int Length)> Filters)
{
    /// <param name="footer">The file's metadata, without its length and the magic.</param>
    /// <exception cref="InvalidDataException">Damaged, or a row group without a filter beside others that have one.</exception>
    public static FilterFooter Read(ReadOnlySpan<byte> footer)
    {
        var thrift = new ThriftReader(footer);
        long rows = 0;
        var groups = 0;
        string? checksum = null;
        var filters = new List<(long, int)>();
        thrift.BeginStruct();
        while (thrift.NextField(out var field))
        {
            switch (field)
            {
                case 3:
                    rows = thrift.Int64();
                    break;
                case 4:
                    groups = thrift.BeginList();
                    for (var i = 0; i < groups; i++)
                        ReadRowGroup(ref thrift, filters);
                    break;
                case 5:
                    for (var left = thrift.BeginList(); left > 0; left--)
                        checksum = ReadChecksum(ref thrift) ?? checksum;
                    break;
                default:
                    thrift.Skip();
                    break;
            }
        }

        if (checksum is not null && filters.Count != groups)
            throw new InvalidDataException("A row group of the file has no Bloom filter, or more than one.");
        return new(rows, checksum, filters);
    }

    private static void ReadRowGroup(ref ThriftReader thrift, List<(long, int)> filters)
    {
        thrift.BeginStruct();
        while (thrift.NextField(out var field))
        {
            if (field != 1)
            {
                thrift.Skip();
                continue;
            }

            for (var left = thrift.BeginList(); left > 0; left--)
                ReadColumnChunk(ref thrift, filters);
        }
    }

    private static void ReadColumnChunk(ref ThriftReader thrift, List<(long, int)> filters)
    {
        thrift.BeginStruct();
        while (thrift.NextField(out var field))
        {
            if (field != 3)
            {
                thrift.Skip();
                continue;
            }

            var (isTransactionId, offset, length) = (false, -1L, 0);
            thrift.BeginStruct();
            while (thrift.NextField(out var member))
            {
                switch (member)
                {
                    case 3:
                        var parts = thrift.BeginList();
                        for (var i = 0; i < parts; i++)
                            isTransactionId = thrift.Binary().SequenceEqual(TransactionId) && parts == 1;
                        break;
                    case 14:
                        offset = thrift.Int64();
                        break;
                    case 15:
                        length = thrift.Int32();
                        break;
                    default:
                        thrift.Skip();
                        break;
                }
            }

            if (isTransactionId && offset >= 0)
                filters.Add((offset, length));
        }
    }

    private static ReadOnlySpan<byte> TransactionId => "transaction_id"u8;

    private static string? ReadChecksum(ref ThriftReader thrift)
    {
        var (isChecksum, value) = (false, "");
        thrift.BeginStruct();
        while (thrift.NextField(out var member))
        {
            switch (member)
            {
                case 1:
                    isChecksum = Encoding.UTF8.GetString(thrift.Binary()) == Footer.FiltersChecksumKey;
                    break;
                case 2:
                    value = Encoding.UTF8.GetString(thrift.Binary());
                    break;
                default:
                    thrift.Skip();
                    break;
            }
        }

        return isChecksum ? value : null;
    }
}
