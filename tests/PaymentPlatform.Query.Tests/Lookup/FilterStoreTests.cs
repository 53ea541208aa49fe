using System.Buffers;
using System.Security.Cryptography;
using System.Text;
using PaymentPlatform.Events;
using PaymentPlatform.Query.Lookup;
using PaymentPlatform.Storage.Archive;

namespace PaymentPlatform.Query.Tests.Lookup;

public sealed class FilterStoreTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("filter-store-").FullName;

    private string Path => System.IO.Path.Combine(_directory, "filters.bin");

    [Fact]
    public void Load_WrittenBefore_TheSame()
    {
        var files = Files(5);
        Write(files);
        using var store = new FilterStore(_directory, 64 << 20);
        var found = store.Load(files.Select(f => f.Sha256).ToHashSet()).ToDictionary(f => f.Sha256);
        foreach (var (sha256, filters, ids) in files)
        {
            Assert.Equal(filters?.BlockCounts ?? [], found[sha256].BlockCounts);
            Assert.Equal(filters?.Bits ?? [], store.ReadBits(found[sha256]));
            Assert.All(ids, id => Assert.True(store.MayContain(found[sha256], Probe(id))));
        }

        Assert.Contains(files, f => f.Filters is null);
        Assert.False(store.MayContain(found[files[0].Sha256], Probe("absent")));
    }

    [Fact]
    public void Load_OneBitFlipped_NeverAFalseNegative()
    {
        var files = Files(4);
        Write(files);
        var bytes = File.ReadAllBytes(Path);
        var random = new Random(3);
        var damaged = 0;
        for (var i = 0; i < 3000; i++)
        {
            var bit = random.Next(bytes.Length * 8);
            bytes[bit / 8] ^= (byte)(1 << (bit % 8));
            File.WriteAllBytes(Path, bytes);
            bytes[bit / 8] ^= (byte)(1 << (bit % 8));
            using var store = new FilterStore(_directory, 64 << 20);
            foreach (var stored in store.Load(files.Select(f => f.Sha256).ToHashSet()))
            {
                var (_, filters, ids) = files.Single(f => f.Sha256 == stored.Sha256);
                Assert.Equal(filters?.BlockCounts ?? [], stored.BlockCounts);
                if (ids.Count > 0)
                    Assert.True(store.MayContain(stored, Probe(ids[random.Next(ids.Count)])) ?? true);
                if (store.ReadBits(stored) is { } bits)
                    Assert.Equal(filters?.Bits ?? [], bits);
                else
                    damaged++;
            }
        }

        Assert.NotEqual(0, damaged);
    }

    [Fact]
    public void Load_Torn_KeepsWhatIsWholeAndGoesOn()
    {
        var files = Files(4);
        Write(files);
        File.WriteAllBytes(Path, File.ReadAllBytes(Path)[..^20]);
        using (var store = new FilterStore(_directory, 64 << 20))
        {
            Assert.Equal(files[..3].Select(f => f.Sha256), store.Load(files.Select(f => f.Sha256).ToHashSet()).Select(f => f.Sha256));
            store.Append(files[3].Sha256, files[3].Filters);
        }

        using var again = new FilterStore(_directory, 64 << 20);
        Assert.Equal(4, again.Load(files.Select(f => f.Sha256).ToHashSet()).Count);
    }

    [Fact]
    public void Load_MostOfItGone_IsRewrittenSmaller()
    {
        var files = Files(6);
        Write(files);
        var before = new FileInfo(Path).Length;
        var live = files[4..].Select(f => f.Sha256).ToHashSet();
        for (var run = 0; run < 2; run++)
        {
            using var store = new FilterStore(_directory, minGarbage: 1000);
            foreach (var stored in store.Load(live))
                Assert.Equal(files.Single(f => f.Sha256 == stored.Sha256).Filters?.Bits ?? [], store.ReadBits(stored));
            Assert.InRange(new FileInfo(Path).Length, 1, before / 2);
        }
    }

    [Fact]
    public void Replace_AppendedMeanwhile_KeepsWhatIsLiveAndAnswersForTheRestWithMaybe()
    {
        var files = Files(8);
        using (var store = new FilterStore(_directory, minGarbage: 1000))
        {
            store.Load(new HashSet<string>());
            var stored = files[..6].Select(f => store.Append(f.Sha256, f.Filters)).ToList();
            var live = stored[4..];
            Assert.False(store.IsMostlyDead(stored));
            Assert.True(store.IsMostlyDead(live));
            // One comes before the copying begins, one after it; one is gone by the end.
            var between = store.Append(files[6].Sha256, files[6].Filters);
            var copy = store.CopyLive(live);
            live = [.. live[1..], between, store.Append(files[7].Sha256, files[7].Filters)];
            var before = new FileInfo(Path).Length;
            store.Replace(copy, live);
            Assert.InRange(new FileInfo(Path).Length, 1, before * 3 / 4);
            foreach (var filters in live)
            {
                var (_, expected, ids) = files.Single(f => f.Sha256 == filters.Sha256);
                Assert.Equal(expected?.Bits ?? [], store.ReadBits(filters));
                Assert.All(ids, id => Assert.True(store.MayContain(filters, Probe(id))));
                Assert.False(store.MayContain(filters, Probe("absent")));
            }

            Assert.All(stored[..4], filters => Assert.True(store.MayContain(filters, Probe("absent"))));
            store.Append(files[0].Sha256, files[0].Filters);
        }

        using var again = new FilterStore(_directory, minGarbage: 1000);
        string[] expectedAgain = [.. files[4..].Select(f => f.Sha256), files[0].Sha256];
        Assert.Equal(expectedAgain.Order(), again.Load(files.Select(f => f.Sha256).ToHashSet()).Select(f => f.Sha256).Order());
    }

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    private void Write(List<(string Sha256, TransactionIdFilters? Filters, List<string> Ids)> files)
    {
        using var store = new FilterStore(_directory, 64 << 20);
        Assert.Empty(store.Load(new HashSet<string>()));
        foreach (var (sha256, filters, _) in files)
            store.Append(sha256, filters);
    }

    private static BloomProbe Probe(string id) => new(Encoding.UTF8.GetBytes(id));

    /// <summary>Of different sizes, over several pages too, the second without filters.</summary>
    private static List<(string Sha256, TransactionIdFilters? Filters, List<string> Ids)> Files(int count)
    {
        var result = new List<(string, TransactionIdFilters?, List<string>)>();
        var parser = new TransactionParser(new());
        for (var i = 0; i < count; i++)
        {
            using var buffer = new RawEventBuffer(1000 + (i * 300));
            var ids = Enumerable.Range(0, 2200).Select(n => $"{i}-{n}").ToList();
            for (var n = 0; n < ids.Count; n++)
            {
                var payload = Encoding.UTF8.GetBytes($$"""{"transaction_id":"{{ids[n]}}"}""");
                var parsed = parser.Parse(payload, 0);
                buffer.Append(new() { Partition = new("s", "l", 0), Offset = n, EnqueuedAtMicros = 0, MessageId = default, CorrelationId = default, RawPayload = payload, Transaction = parsed.Transaction, Errors = parsed.Errors });
            }

            using var file = ParquetSerializer.Serialize(buffer, 0);
            var filters = i == 1 ? null : TransactionIdFilters.Read(file.Content.ToArray(), file.Length, file.RowCount, out _);
            result.Add((Convert.ToHexStringLower(SHA256.HashData(BitConverter.GetBytes(i))), filters, i == 1 ? [] : ids));
        }

        // Without filters there is nothing to look for in them.
        return [.. result.OrderBy(f => f.Item2 is null)];
    }
}
