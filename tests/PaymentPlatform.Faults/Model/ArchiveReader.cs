using System.Security.Cryptography;
using System.Text;
using DuckDB.NET.Data;
using PaymentPlatform.Faults.Instances;
using PaymentPlatform.Testing;

namespace PaymentPlatform.Faults.Model;

/// <summary>The archive as an outsider reads it: live names from the manifest, bytes from the store, rows by DuckDB. None of our readers.</summary>
internal static class ArchiveReader
{
    /// <exception cref="InvariantBrokenException">A live file is not there, or has not the bytes that the manifest says.</exception>
    public static async Task<IReadOnlyList<ArchivedEvent>> ReadAsync(RunPlace place, IReadOnlyList<LiveFile> files, CancellationToken cancellationToken)
    {
        if (files.Count == 0)
            return [];
        var directory = Directory.CreateTempSubdirectory("platform-faults-archive-");
        try
        {
            foreach (var file in files)
            {
                var bytes = (await place.Blobs.GetBlobClient(file.Name).DownloadContentAsync(cancellationToken)).Value.Content.ToArray();
                InvariantBrokenException.Unless(
                    bytes.Length == file.Bytes && SHA256.HashData(bytes).AsSpan().SequenceEqual(file.Sha256), "published blobs never change", () => $"{file.Name} has not the length and checksum of the manifest");
                InvariantBrokenException.Unless(
                    place.Observer.Written.TryGetValue(file.Name, out var first) && first == Convert.ToHexString(file.Sha256), "published blobs never change", () => $"{file.Name} is not what was first uploaded under its name");
                // Statistics, dictionaries and metadata are not compressed.
                foreach (var (card, _) in EventMaker.Cards)
                    InvariantBrokenException.Unless(bytes.AsSpan().IndexOf(Encoding.ASCII.GetBytes(card)) < 0, "no card data at rest", () => $"a card number is in the bytes of {file.Name}");
                await File.WriteAllBytesAsync(Path.Combine(directory.FullName, Path.GetFileName(file.Name)), bytes, cancellationToken);
            }

            using var duckDb = new DuckDBConnection("DataSource=:memory:");
            duckDb.Open();
            duckDb.Execute("SET threads = 1");
            var withCards = duckDb.Query($"SELECT DISTINCT filename FROM read_parquet('{directory.FullName}/*.parquet', filename = true) t WHERE regexp_matches(t::varchar, '{EventMaker.CardPattern}')").Select(row => Path.GetFileName((string)row[0]!)).ToList();
            InvariantBrokenException.Unless(withCards.Count == 0, "no card data at rest", () => $"a card number is in the rows of {string.Join(", ", withCards)}");
            return
            [
                .. duckDb.Query($"SELECT stream_partition, stream_offset, epoch_us(enqueued_at), is_valid, duplicate, base64(raw_payload), filename FROM read_parquet('{directory.FullName}/*.parquet', filename = true)")
                    .Select(row => new ArchivedEvent((int)row[0]!, (long)row[1]!, (long)row[2]!, (bool)row[3]!, (bool)row[4]!, Convert.FromBase64String((string)row[5]!), Path.GetFileName((string)row[6]!))),
            ];
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }
}
