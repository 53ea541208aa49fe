using System.Diagnostics;
using System.Text;

namespace PaymentPlatform.Ingest.Tests;

public sealed class CardDataTests
{
    private readonly InMemoryPublisher _publisher = new();

    public static TheoryData<string> Cards =>
        ["4111111111111111", "5555555555554444", "378282246310005", "6011111111111117", "3530111333300000", "30569309025904"];

    [Theory]
    [MemberData(nameof(Cards))]
    public async Task Post_FullCardNumber_IsRefusedAndSaidNowhere(string card)
    {
        var tags = new List<string>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = _ => true,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = activity =>
            {
                lock (tags)
                    tags.Add(activity.DisplayName + string.Join(" ", activity.TagObjects));
            },
        };
        ActivitySource.AddActivityListener(listener);
        await using var host = await IngestHost.StartAsync(_publisher);
        var spaced = $"{card[..4]} {card[4..8]} {card[8..12]} {card[12..]}";
        string[] bodies =
        [
            TestEvents.Valid(1, $",\"metadata\":{{\"card_number\":\"{card}\"}}"),
            TestEvents.Valid(2, $",\"note\":\"paid with {spaced}.\""),
            TestEvents.Valid(3).Replace("credit_card", card),
            "{\"transaction_id\":\"x\",\"note\":\"" + card + "\"",
        ];

        var ndjson = await host.PostAsync(string.Join("\n", bodies) + "\n" + TestEvents.Valid(9), "application/x-ndjson");
        var json = await host.PostAsync($"[{bodies[0]},{bodies[1]}]", "application/json");
        var broken = await host.PostAsync(bodies[3], "application/json");
        var cloudEvent = await host.PostAsync(TestEvents.CloudEvent("1", bodies[0]), "application/cloudevents+json");

        Assert.Equal(4, ndjson.RejectedCount);
        Assert.Equal("card_data", ndjson.FirstConstraint(0));
        Assert.Equal("card_data", ndjson.FirstConstraint(1));
        Assert.Equal(422, json.Status);
        Assert.Equal(400, broken.Status);
        Assert.Equal(422, cloudEvent.Status);
        Assert.Equal(TestEvents.Valid(9), Assert.Single(_publisher.Messages).Text);
        await host.DisposeAsync();
        var said = string.Join("\n", new[] { ndjson.Text, json.Text, broken.Text, cloudEvent.Text }.Concat(host.Logs.Lines.Select(line => line.ToString())).Concat(tags));
        Assert.DoesNotContain(card, said);
        Assert.DoesNotContain(card[6..], said.Replace(" ", ""));
    }

    [Fact]
    public async Task Post_CvvField_IsRefused()
    {
        await using var host = await IngestHost.StartAsync(_publisher);

        var answer = await host.PostAsync(TestEvents.Valid(1, ",\"metadata\":{\"cvv\":\"987\",\"cvv_provided\":true}"), "application/json");
        var provided = await host.PostAsync(TestEvents.Valid(1, ",\"metadata\":{\"cvv_provided\":true}"), "application/json");

        Assert.Equal(422, answer.Status);
        Assert.Equal("card_data", answer.FirstConstraint());
        Assert.DoesNotContain("987", answer.Text);
        Assert.Equal(202, provided.Status);
    }

    [Fact]
    public async Task Post_CardNumberUnderMask_IsPublishedMasked()
    {
        await using var host = await IngestHost.StartAsync(_publisher, ("Ingest:CardData", "mask"));

        var answer = await host.PostAsync(
            TestEvents.Valid(1, ",\"note\":\"4111111111111111\"") + "\n" + TestEvents.Valid(2) + "\n" + TestEvents.Valid(3, ",\"note\":\"5555555555554444\""), "application/x-ndjson");

        Assert.Equal(3, answer.Accepted);
        var messages = _publisher.Messages;
        Assert.DoesNotContain("4111111111111111", messages[0].Text);
        Assert.Contains("411111", messages[0].Text);
        Assert.StartsWith(TestEvents.Valid(1)[..^1], messages[0].Text);
        Assert.Equal(TestEvents.Valid(2), messages[1].Text);
        Assert.Contains("4444\"", messages[2].Text);
        Assert.DoesNotContain("5555555555554444", messages[2].Text);
        Assert.Equal(["masked", null, "masked"], messages.Select(m => m.Headers["card_data"]));
    }

    [Fact]
    public async Task Post_CardNumberUnderAllow_IsPublishedAsItIs()
    {
        await using var host = await IngestHost.StartAsync(_publisher, ("Ingest:CardData", "allow"));

        Assert.Equal(202, (await host.PostAsync(TestEvents.Valid(1, ",\"note\":\"4111111111111111\""), "application/json")).Status);
        Assert.Contains("4111111111111111", Assert.Single(_publisher.Messages).Text);
    }

    [Fact]
    public async Task Post_TenThousandRandomSixteenDigitIds_AreAllTaken()
    {
        await using var host = await IngestHost.StartAsync(_publisher);
        var random = new Random(11);
        var body = new StringBuilder();
        for (var i = 0; i < 10_000; i++)
            body.Append(TestEvents.Valid(i).Replace($"\"tx-{i}\"", $"\"{random.NextInt64(1_000_000_000_000_000, 9_999_999_999_999_999)}\"")).Append('\n');

        var answer = await host.PostAsync(body.ToString(), "application/x-ndjson");

        Assert.Equal(0, answer.RejectedCount);
        Assert.Equal(10_000, answer.Accepted);
    }
}
