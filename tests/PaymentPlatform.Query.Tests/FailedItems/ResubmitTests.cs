using System.Net;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using PaymentPlatform.Query.FailedItems;
using PaymentPlatform.Streaming;
using PaymentPlatform.Testing;
using static PaymentPlatform.Query.Tests.FailedItems.DeadLetters;

namespace PaymentPlatform.Query.Tests.FailedItems;

public sealed class ResubmitTests(PlatformFixture platform)
{
    [Fact]
    public async Task Resubmit_CorrectedPayload_GoesOutAsItIsAndSaysWhereItCameFrom()
    {
        await using var host = await QueryHost.StartAsync(platform);
        var id = await AddAsync(host, BadEvent());
        var answer = await PostOkAsync(host, $"{id}/resubmit?notes=ticket%201", $" {Event()}\r\n");
        var sent = Assert.Single(await StreamContents.ReadAsync(host));
        Assert.Equal(new(Event(), $"resubmission-{id}", "corr-1", "C-1", "resubmission", $"{id}", null), sent with { Partition = 0 });
        Assert.Equal(("resubmitted", "anonymous", "ticket 1", $"resubmission-{id}"), (answer.Text("status"), answer.Text("resolved_by"), answer.Text("notes"), answer.Text("resubmitted_as")));
        var sha256 = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Event())));
        Assert.Equal(sha256, answer.Text("resubmitted_sha256"));
        var item = await host.GetAsync($"/v1/failed-items/{id}");
        Assert.Equal(BadEvent(), item.Text("raw_payload"));
        Assert.False(item.GetProperty("sending").GetBoolean());
        Assert.Equal(1, item.GetProperty("retry_count").GetInt32());
        Assert.Equal(
            [("resubmission_begun", "anonymous", "ticket 1", sha256), ("resubmitted", "anonymous", "ticket 1", sha256)],
            item.GetProperty("history").EnumerateArray().Select(c => (c.Text("action")!, c.Text("by")!, c.Text("notes")!, c.Text("payload_sha256")!)));
    }

    [Fact]
    public async Task Finish_TablesAreNotThereYet_WaitsForThem()
    {
        var log = new LogCollector(LogLevel.Warning);
        await using var host = await QueryHost.StartAsync(platform, database: await platform.CreateDatabaseAsync(migrate: false), services: services => services.AddSingleton<ILoggerProvider>(log));
        // Replays, reconciliation and this.
        await Eventually.TrueAsync(() => log.Count(LogLevel.Warning, "Nothing is consumed yet") == 3, "three wait for the schema");
        Assert.False(log.Has(LogLevel.Warning, "Resubmissions"));
    }

    [Fact]
    public async Task Resubmit_NoBody_GoesOutAsItWas()
    {
        await using var host = await QueryHost.StartAsync(platform);
        var id = await AddAsync(host, Event(more: ", \"correlation_id\": \"own\""), "internal");
        await PostOkAsync(host, $"{id}/resubmit");
        var sent = Assert.Single(await StreamContents.ReadAsync(host));
        Assert.Equal((Event(more: ", \"correlation_id\": \"own\""), "own"), (sent.Body, sent.CorrelationId));
    }

    [Fact]
    public async Task Resubmit_NotValid_422WithAllErrorsAndNothingChanged()
    {
        await using var host = await QueryHost.StartAsync(platform);
        var id = await AddAsync(host, BadEvent());
        foreach (var (body, fields) in ((string?, string[])[])[
            (null, ["currency"]),
            (Event().Replace("12.50", "-1").Replace("completed", "done"), ["amount", "payment_status"]),
            ("[" + Event() + "]", [""]),
            ("{", [""]),
            (Event(more: ", \"note\": \"4111111111111111\""), ["note"])])
        {
            var (status, problem) = await PostAsync(host, $"{id}/resubmit", body);
            Assert.Equal(HttpStatusCode.UnprocessableEntity, status);
            var errors = problem.GetProperty("errors").EnumerateArray().ToList();
            Assert.Equal(fields, errors.Select(e => e.Text("field")));
            Assert.All(errors, e => Assert.NotEmpty(e.Text("constraint")! + e.Text("message")));
            Assert.DoesNotContain("4111111111111111", problem.GetRawText());
        }

        Assert.Empty(await ActionsAsync(host, id));
        Assert.Equal("pending", (await host.GetAsync($"/v1/failed-items/{id}")).Text("status"));
        Assert.Empty(await StreamContents.ReadAsync(host));
    }

    [Theory]
    [InlineData("mask", "masked")]
    [InlineData("allow", null)]
    public async Task Resubmit_CardDataThatTheDoorLetsIn_IsAsItWouldBeThere(string mode, string? header)
    {
        await using var host = await QueryHost.StartAsync(platform, new() { ["Ingest:CardData"] = mode });
        var id = await AddAsync(host, BadEvent());
        var corrected = Event(more: ", \"note\": \"4111111111111111\"");
        var answer = await PostOkAsync(host, $"{id}/resubmit", corrected);
        var sent = Assert.Single(await StreamContents.ReadAsync(host));
        Assert.Equal(header, sent.CardData);
        Assert.Equal(mode == "allow", sent.Body.Contains("4111111111111111", StringComparison.Ordinal));
        Assert.Equal(answer.GetRawText(), (await PostOkAsync(host, $"{id}/resubmit", corrected)).GetRawText());
    }

    [Fact]
    public async Task Resubmit_Again_SameAnswerAndOneEvent()
    {
        await using var host = await QueryHost.StartAsync(platform);
        var id = await AddAsync(host, BadEvent());
        var first = await PostOkAsync(host, $"{id}/resubmit?notes=one", Event());
        Assert.Equal(first.GetRawText(), (await PostOkAsync(host, $"{id}/resubmit?notes=two", Event())).GetRawText());
        foreach (var (path, body) in ((string, string?)[])[("resubmit", Event("tx-2")), ("resubmit", null), ("resolve", null), ("discard", "{}")])
        {
            var (status, problem) = await PostAsync(host, $"{id}/{path}", body);
            Assert.Equal((HttpStatusCode.Conflict, "resubmitted"), (status, problem.Text("item_status")));
        }

        Assert.Single(await StreamContents.ReadAsync(host));
        Assert.Equal(["resubmission_begun", "resubmitted"], await ActionsAsync(host, id));
    }

    [Fact]
    public async Task Resubmit_TwentyAtOnceWithTwoPayloads_OneEvent()
    {
        var database = await platform.CreateDatabaseAsync();
        await using var host = await QueryHost.StartAsync(platform, database: database);
        await using var other = await QueryHost.StartAsync(platform, database: database);
        for (var round = 0; round < 5; round++)
        {
            var id = await AddAsync(host, BadEvent());
            var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => PostAsync(i % 2 == 0 ? host : other, $"{id}/resubmit", Event($"tx-{i / 2 % 2}"))));
            var sent = Assert.Single(await StreamContents.ReadAsync(host), e => e.OriginId == $"{id}");
            Assert.All(answers.Select((a, i) => (a, i)), x => Assert.Equal(sent.Body == Event($"tx-{x.i / 2 % 2}") ? HttpStatusCode.OK : HttpStatusCode.Conflict, x.a.Status));
            Assert.Single(answers.Where(a => a.Status == HttpStatusCode.OK).Select(a => a.Answer.GetRawText()).Distinct());
            Assert.Equal(["resubmission_begun", "resubmitted"], await ActionsAsync(host, id));
        }
    }

    /// <summary>The process ends right before or right after the append: another one brings it to its end.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Resubmit_CutAtTheAppend_IsEndedByTheNextProcessWithOneEvent(bool isAppended)
    {
        var database = await platform.CreateDatabaseAsync();
        await using var host = await QueryHost.StartAsync(platform, database: database, services: FaultyPublisher.Add);
        var id = await AddAsync(host, BadEvent());
        var fault = FaultyPublisher.Of(host);
        (fault.Before, fault.After) = isAppended ? (null, Cut) : ((Func<Exception>?)Cut, (Func<Exception>?)null);
        var (status, _) = await PostAsync(host, $"{id}/resubmit?notes=why", Event());
        Assert.Equal(HttpStatusCode.InternalServerError, status);
        var item = await host.GetAsync($"/v1/failed-items/{id}");
        Assert.Equal(("pending", true), (item.Text("status"), item.GetProperty("sending").GetBoolean()));
        foreach (var (path, body) in ((string, string?)[])[("resolve", null), ("discard", null), ("resubmit", Event("tx-2")), ("resubmit", null)])
            Assert.Equal(HttpStatusCode.Conflict, (await PostAsync(host, $"{id}/{path}", body)).Status);

        await AgeMarksAsync(host);
        await using var next = await QueryHost.StartAsync(platform, database: database);
        await Eventually.TrueAsync(async () => (await next.GetAsync($"/v1/failed-items/{id}")).Text("status") == "resubmitted", "the resubmission ended");
        var sent = Assert.Single(await StreamContents.ReadAsync(next));
        Assert.Equal((Event(), $"{id}"), (sent.Body, sent.OriginId));
        Assert.Equal("why", (await PostOkAsync(next, $"{id}/resubmit", Event())).Text("notes"));
        Assert.Equal(["resubmission_begun", "resubmitted"], await ActionsAsync(next, id));
        Assert.Single(await StreamContents.ReadAsync(next));

        static Exception Cut() => new InvalidOperationException("The process ends here.");
    }

    [Fact]
    public async Task Finish_YoungMark_IsLeftToWhoMadeIt()
    {
        await using var host = await QueryHost.StartAsync(platform, services: FaultyPublisher.Add);
        var id = await AddAsync(host, BadEvent());
        var fault = FaultyPublisher.Of(host);
        fault.Before = () => new StreamUnavailableException("No stream.");
        var (status, problem) = await PostAsync(host, $"{id}/resubmit", Event());
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "Stream unavailable"), (status, problem.Text("title")));

        var resubmitter = host.App.Services.GetRequiredService<Resubmitter>();
        Assert.Equal(0, await resubmitter.FinishAsync(TimeSpan.FromMinutes(1), CancellationToken.None));
        await AgeMarksAsync(host);
        await Assert.ThrowsAsync<StreamUnavailableException>(() => resubmitter.FinishAsync(TimeSpan.FromMinutes(1), CancellationToken.None));
        fault.Before = null;
        Assert.Equal(1, await resubmitter.FinishAsync(TimeSpan.FromMinutes(1), CancellationToken.None));
        Assert.Equal("resubmitted", (await PostOkAsync(host, $"{id}/resubmit", Event())).Text("status"));
        Assert.Single(await StreamContents.ReadAsync(host));
    }

    /// <summary>The stream takes less than we do: the item is as it was, and another payload may go out.</summary>
    [Fact]
    public async Task Resubmit_TooLargeForTheStream_422AndStillPending()
    {
        await using var host = await QueryHost.StartAsync(platform, services: FaultyPublisher.Add);
        var (id, other) = (await AddAsync(host, Event()), await AddAsync(host, Event("tx-2")));
        var fault = FaultyPublisher.Of(host);
        fault.Before = () => new MessageTooLargeException(1000, 900, 0);
        var (status, problem) = await PostAsync(host, $"{id}/resubmit");
        Assert.Equal((HttpStatusCode.UnprocessableEntity, "size"), (status, problem.GetProperty("errors")[0].Text("constraint")));
        Assert.Equal("pending", (await host.GetAsync($"/v1/failed-items/{id}")).Text("status"));
        // One that is too large fails a whole call: the others of it are tried alone.
        var step = await PostOkAsync(host, "resubmit", """{"all": true}""");
        Assert.Equal(["size", "size"], step.GetProperty("refusals").EnumerateArray().Select(r => r.GetProperty("errors")[0].Text("constraint")));
        fault.Before = null;
        await PostOkAsync(host, $"{id}/resubmit", Event("tx-3"));
        Assert.Equal("tx-3", Assert.Single(await StreamContents.ReadAsync(host)).Body.Split('"')[3]);
        Assert.Equal(["resubmission_begun", "resubmission_withdrawn", "resubmission_begun", "resubmission_withdrawn", "resubmission_begun", "resubmitted"], await ActionsAsync(host, id));
        Assert.Equal(["resubmission_begun", "resubmission_withdrawn"], await ActionsAsync(host, other));
    }

    [Fact]
    public async Task Resubmit_BadCall_Refused()
    {
        await using var host = await QueryHost.StartAsync(platform);
        var id = await AddAsync(host, BadEvent());
        foreach (var unknown in (string[])["0", "-1", "x", "99999999999999999999"])
            Assert.Equal(HttpStatusCode.NotFound, (await PostAsync(host, $"{unknown}/resubmit", Event())).Status);
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, (await PostAsync(host, $"{id}/resubmit", Event(), "text/plain")).Status);
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, (await PostAsync(host, $"{id}/resubmit", Event(more: $", \"note\": \"{new string('x', 1 << 20)}\""))).Status);
        foreach (var query in (string[])["note=x", "notes=", "notes=a&notes=b", "notes=%00"])
            Assert.Equal(HttpStatusCode.BadRequest, (await PostAsync(host, $"{id}/resubmit?{query}", Event())).Status);
        Assert.Empty(await ActionsAsync(host, id));
    }
}
