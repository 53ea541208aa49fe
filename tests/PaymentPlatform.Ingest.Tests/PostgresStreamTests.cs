using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Npgsql;
using PaymentPlatform.Streaming;
using PaymentPlatform.Testing;

[assembly: AssemblyFixture(typeof(PlatformFixture))]

namespace PaymentPlatform.Ingest.Tests;

/// <summary>Over the real stream, as the service is put together in earnest.</summary>
public sealed class PostgresStreamTests(PlatformFixture platform)
{
    private const string Ndjson = "application/x-ndjson";

    [Fact]
    public async Task Post_Ndjson_IsInTheStreamByteForByteWithItsIds()
    {
        var database = await platform.CreateDatabaseAsync();
        await using var host = await StartAsync(database);
        var lines = Enumerable.Range(0, 5000).Select(i => TestEvents.Valid(i, $",\"n\" : \"é{i}\"")).ToArray();

        var answer = await host.PostAsync(string.Join("\r\n", lines), Ndjson, ("X-Correlation-Id", "corr-7"));

        Assert.Equal(202, answer.Status);
        Assert.Equal(5000, answer.Accepted);
        var stored = await ReadAsync(host, 5000);
        Assert.Equal(5000, await CountAsync(database));
        var byIndex = stored.OrderBy(m => int.Parse(m.Id[37..])).ToArray();
        Assert.Equal(lines, byIndex.Select(m => m.Text));
        Assert.All(stored, m => Assert.Equal("corr-7", m.CorrelationId));
        foreach (var customer in stored.GroupBy(m => m.Key))
            Assert.Equal(customer.Select(m => int.Parse(m.Id[37..])).Order(), customer.Select(m => int.Parse(m.Id[37..])));
    }

    [Fact]
    public async Task Post_OneKeyManyTimesAtOnceAndCut_IsInTheStreamOnce()
    {
        var database = await platform.CreateDatabaseAsync();
        await using var host = await StartAsync(database);
        var body = TestEvents.Lines(0, 3500) + TestEvents.Invalid(3500);
        var bytes = TestEvents.Bytes(body);
        for (var cut = 1; cut <= 3; cut++)
        {
            using var socket = await host.OpenRawAsync(Ndjson, bytes.Length, "once");
            await socket.SendAsync(bytes.AsMemory(0, cut == 3 ? bytes.Length : bytes.Length * cut / 3), TestContext.Current.CancellationToken);
        }

        var answers = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => host.PostAsync(body, Ndjson, ("Idempotency-Key", "once"))));
        var other = await host.PostAsync(body + "\n", Ndjson, ("Idempotency-Key", "once"));

        Assert.All(answers, answer => Assert.Equal(answers[0], answer));
        Assert.Equal(202, answers[0].Status);
        Assert.Equal(3500, answers[0].Accepted);
        Assert.Equal(1, answers[0].RejectedCount);
        Assert.Equal(422, other.Status);
        await Eventually.TrueAsync(() => host.Budget.Used == 0, "the cut requests are over");
        Assert.Equal(3500, await CountAsync(database));
    }

    [Fact]
    public async Task Post_CloudEventsAgainAndAtOnce_AreInTheStreamOnce()
    {
        var database = await platform.CreateDatabaseAsync();
        await using var host = await StartAsync(database);
        var body = "[" + string.Join(",", Enumerable.Range(0, 300).Select(i => TestEvents.CloudEvent($"{i % 250}", TestEvents.Valid(i % 250)))) + "]";

        var answers = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => host.PostAsync(body, "application/cloudevents-batch+json")));
        var conflict = await host.PostAsync(TestEvents.CloudEvent("7", TestEvents.Valid(8)), "application/cloudevents+json");

        Assert.All(answers, answer => Assert.Equal(300, answer.Accepted));
        Assert.Equal("idempotency", conflict.FirstConstraint());
        Assert.Equal(250, await CountAsync(database));
    }

    [Fact]
    public async Task Post_DatabaseGone_Answers503AndRecoversByItself()
    {
        var database = await platform.CreateDatabaseAsync();
        var direct = new NpgsqlConnectionStringBuilder(database);
        await using var proxy = new TcpProxy(direct.Host!, direct.Port);
        await using var host = await StartAsync(new NpgsqlConnectionStringBuilder(database) { Host = "127.0.0.1", Port = proxy.Port }.ConnectionString);
        Assert.Equal(202, (await host.PostAsync(TestEvents.Valid(1), "application/json")).Status);

        proxy.Down();
        var down = await host.PostAsync(TestEvents.Valid(2), "application/json");
        var keyed = await host.PostAsync(TestEvents.Lines(10, 2500), Ndjson, ("Idempotency-Key", "k"));
        proxy.Up();

        Assert.Equal(503, down.Status);
        Assert.Equal("application/problem+json", down.MediaType);
        Assert.NotNull(down.RetryAfter);
        Assert.Equal(0, down.Accepted);
        Assert.Equal(503, keyed.Status);
        await Eventually.TrueAsync(async () => (await host.PostAsync(TestEvents.Lines(10, 2500), Ndjson, ("Idempotency-Key", "k"))).Status == 202, "the stream is back");
        Assert.Equal(2501, await CountAsync(database));
    }

    [Fact]
    public async Task Post_DatabaseGoneInMidBody_TellsHowManyAreInAndTheRetryCompletesIt()
    {
        var database = await platform.CreateDatabaseAsync();
        var direct = new NpgsqlConnectionStringBuilder(database);
        await using var proxy = new TcpProxy(direct.Host!, direct.Port);
        await using var host = await StartAsync(new NpgsqlConnectionStringBuilder(database) { Host = "127.0.0.1", Port = proxy.Port }.ConnectionString);
        var reached = new TaskCompletionSource();
        var proceed = new ManualResetEventSlim();
        IEnumerable<byte[]> Parts()
        {
            // One byte more than two chunks, so that both are known to be whole.
            yield return TestEvents.Bytes(TestEvents.Lines(0, 2000) + "{");
            reached.SetResult();
            proceed.Wait(TestContext.Current.CancellationToken);
            yield return TestEvents.Bytes(TestEvents.Lines(2000, 3000)[1..]);
        }

        var post = Task.Run(() => host.PostAsync(new GeneratedContent(Parts()), Ndjson, ("Idempotency-Key", "k")));
        await reached.Task;
        await Eventually.TrueAsync(async () => await CountAsync(database) == 2000, "two chunks are in the stream");
        proxy.Down();
        proceed.Set();
        var failed = await post;
        proxy.Up();

        Assert.Equal(503, failed.Status);
        Assert.Equal(2000, failed.Accepted);
        IngestHost.Answer? retry = null;
        await Eventually.TrueAsync(
            async () => (retry = await host.PostAsync(TestEvents.Lines(0, 5000), Ndjson, ("Idempotency-Key", "k"))).Status == 202, "the stream is back");
        Assert.Equal(5000, retry!.Accepted);
        Assert.Equal(5000, await CountAsync(database));
    }

    [Fact]
    public async Task Post_ConnectionsTerminatedAllTheTime_RetriesUnderKeysTakeEachEventOnce()
    {
        var database = await platform.CreateDatabaseAsync();
        await using var host = await StartAsync(database);
        using var done = new CancellationTokenSource();
        var killer = TerminateAsync(database, done.Token);

        var failures = 0;
        await Parallel.ForEachAsync(Enumerable.Range(0, 40), new ParallelOptions { MaxDegreeOfParallelism = 4 }, async (i, _) =>
        {
            var body = TestEvents.Lines(i * 1500, 1500);
            await Eventually.TrueAsync(
                async () =>
                {
                    var answer = await host.PostAsync(body, Ndjson, ("Idempotency-Key", $"k-{i}"));
                    if (answer.Status != 202)
                        Interlocked.Increment(ref failures);
                    Assert.True(answer.Status is 202 or 503, answer.Text);
                    return answer.Status == 202;
                },
                "it is taken");
        });
        done.Cancel();
        await killer;

        Assert.True(failures > 0, "nothing was ever interrupted");
        Assert.Equal(60_000, await CountAsync(database));
    }

    private Task<IngestHost> StartAsync(string database) => IngestHost.StartAsync(
        builder => builder.AddIngest(),
        ("ConnectionStrings:paymentsdb", database), ("ConnectionStrings:blobs", platform.BlobConnectionString));

    private async Task TerminateAsync(string database, CancellationToken until)
    {
        var random = new Random(3);
        while (!until.IsCancellationRequested)
        {
            await ExecuteAsync(platform.AdminConnectionString, $"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{new NpgsqlConnectionStringBuilder(database).Database}'");
            await Task.Delay(random.Next(5, 60), CancellationToken.None);
        }
    }

    /// <summary>Offsets of this stream have no holes.</summary>
    private static async Task<long> CountAsync(string database)
    {
        await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(database) { Pooling = false }.ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand("SELECT coalesce(sum(next_offset), 0)::bigint FROM stream_partitions", connection);
        return (long)(await command.ExecuteScalarAsync())!;
    }

    private static async Task ExecuteAsync(string connectionString, string sql)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    private static async Task<IReadOnlyList<InMemoryPublisher.StoredMessage>> ReadAsync(IngestHost host, int count)
    {
        await using var consumer = await host.Services.GetRequiredService<MessageConsumerFactory>().CreateAsync("test", CancellationToken.None);
        var messages = new List<InMemoryPublisher.StoredMessage>();
        await Eventually.TrueAsync(
            async () =>
            {
                if (await consumer.ReadAsync(TimeSpan.FromSeconds(1), CancellationToken.None) is ConsumerEvent.Received received)
                {
                    foreach (var message in received.Batch.Messages)
                        messages.Add(InMemoryPublisher.StoredMessage.From(message.Message));
                    received.Batch.Dispose();
                }

                return messages.Count >= count;
            },
            $"{count} messages are read");
        return messages;
    }
}
