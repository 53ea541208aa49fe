using System.Diagnostics;
using PaymentPlatform.Testing;

namespace PaymentPlatform.Query.Tests;

/// <summary>The working set is the process's, so that no other test may run meanwhile.</summary>
[CollectionDefinition(nameof(ExportMemoryTests), DisableParallelization = true)]
[Collection(nameof(ExportMemoryTests))]
public sealed class ExportMemoryTests(PlatformFixture platform)
{
    [Fact]
    public async Task NdJson_LargeRange_IsWholeInBoundedMemory()
    {
        const int Rows = 200_000, PerFile = 20_000;
        await using var host = await QueryHost.StartAsync(platform, new() { ["Query:EngineMemory"] = (128L << 20).ToString(), ["Query:SliceRows"] = "20000" });
        for (var file = 0; file < Rows / PerFile; file++)
        {
            var first = RandomArchive.Start + (file * 20_000_000L);
            await host.Archive.AddFileAsync(
                $"""
                SELECT 't-' || i AS transaction_id, make_timestamp({first} + i * 1000) AS transaction_timestamp, 1.5::DECIMAL(19, 4) AS amount, 'EUR' AS currency, 'credit_card' AS payment_method, 'completed' AS payment_status,
                  'c' AS customer_id, NULL::VARCHAR AS customer_email, NULL::VARCHAR AS customer_country, 'm' AS merchant_id, NULL::VARCHAR AS merchant_name, NULL::VARCHAR AS merchant_category, NULL::VARCHAR AS transaction_type,
                  NULL::VARCHAR AS channel, NULL::VARCHAR AS device_type, NULL::VARCHAR AS correlation_id, NULL::VARCHAR AS metadata, NULL::VARCHAR AS compliance_violations, NULL::VARCHAR AS violation_severity,
                  'id' AS message_id, 'payments' AS stream, 'log-1' AS stream_log_id, 0 AS stream_partition, ({file * PerFile} + i)::BIGINT AS stream_offset, make_timestamp({first} + i * 1000) AS enqueued_at,
                  make_timestamp({first}) AS archived_at, true AS is_valid, NULL::VARCHAR AS errors, 'live' AS origin, NULL::VARCHAR AS origin_id, false AS duplicate, encode(repeat('payload-' || i, 120)) AS raw_payload
                FROM range(0, {PerFile}) r(i)
                """,
                first, first + ((PerFile - 1) * 1000L), first, first + ((PerFile - 1) * 1000L), PerFile, PerFile);
        }

        using var process = Process.GetCurrentProcess();
        GC.Collect(2, GCCollectionMode.Aggressive, true);
        var before = process.WorkingSet64;
        long peak = 0, bytes = 0, lines = 0;
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/events") { Headers = { { "Accept", "application/x-ndjson" } } };
        using var response = await host.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
        while (await reader.ReadLineAsync() is { } line)
        {
            bytes += line.Length;
            Assert.Contains($"\"stream_offset\":{lines},", line);
            if (++lines % 2000 == 0)
            {
                process.Refresh();
                peak = Math.Max(peak, process.WorkingSet64);
            }
        }

        Assert.Equal(Rows, lines);
        TestContext.Current.TestOutputHelper?.WriteLine($"{bytes >> 20} MiB answered, working set {before >> 20} -> {peak >> 20} MiB");
        Assert.True(bytes > 300L << 20, $"{bytes >> 20} MiB are too few to tell.");
        // The engine's limit, and as much again for both ends of the connection and the runtime.
        Assert.True(peak - before < 256L << 20, $"{(peak - before) >> 20} MiB more.");
    }
}
