namespace PaymentPlatform.Storage.Archive.Parquet;

/// <summary>What stands before a Bloom filter's bits: their number, and that they are blocks, hashed by xxHash, uncompressed.</summary>
internal static class BloomFilterHeader
{
    public static void Write(ByteBuffer output, int bitsetBytes)
    {
        var thrift = new ThriftWriter(output).BeginStruct();
        thrift.Int32(1, bitsetBytes);
        // Algorithm, hash, compression: unions whose first member is the only one there is.
        for (var field = 2; field <= 4; field++)
        {
            thrift.BeginStruct(field).Empty(1);
            thrift.EndStruct();
        }

        thrift.EndStruct();
    }

    /// <returns>Bytes of the bits; the reader stands on them.</returns>
    /// <exception cref="InvalidDataException">Not such a header, or of an algorithm, a hash or a compression that is not ours.</exception>
    public static int Read(ref ThriftReader thrift)
    {
        var (bitsetBytes, known) = (0, 0);
        thrift.BeginStruct();
        while (thrift.NextField(out var field))
        {
            if (field == 1)
            {
                bitsetBytes = thrift.Int32();
                continue;
            }

            if (field is < 2 or > 4)
            {
                thrift.Skip();
                continue;
            }

            thrift.BeginStruct();
            while (thrift.NextField(out var member))
            {
                if (member != 1)
                    throw new InvalidDataException("The Bloom filter is of a kind that this code does not know.");
                known++;
                thrift.Skip();
            }
        }

        if (known != 3 || bitsetBytes < BloomProbe.BlockBytes || bitsetBytes % BloomProbe.BlockBytes != 0)
            throw new InvalidDataException("The Bloom filter's header is damaged.");
        return bitsetBytes;
    }
}
