using System.Text.Json;
using System.Text.RegularExpressions;
using PaymentPlatform.Streaming;

namespace PaymentPlatform.Query.Replay;

/// <summary>The body of <c>POST /v1/replays</c>.</summary>
/// <param name="From">Of transaction time, microseconds since the Unix epoch, inclusive.</param>
/// <param name="To">Exclusive.</param>
/// <param name="Filter">A JSON object's text.</param>
/// <param name="Axis">What the range is meant on.</param>
/// <param name="OnOversized"><c>fail</c> or <c>skip</c>.</param>
internal sealed partial record ReplayRequest(long From, long To, string Filter, TimeAxis Axis, string Target, double? Rate, bool AllowLive, string OnOversized)
{
    private const int MaxBytes = 16 << 10;
    private const double MinRate = 0.001, MaxRate = 1_000_000;
    private const string Example = """{"from": "2026-01-31T00:00:00Z", "to": "2026-02-01T00:00:00Z", "filter": {"merchant_id": "M-1"}, "target": "payments-audit", "rate": 500}""";

    private static readonly JsonElement s_everything = JsonElement.Parse("{}");

    /// <returns>The request, or the answer that says what is wrong with it.</returns>
    public static async Task<(ReplayRequest? Request, IResult? Fault)> ReadAsync(HttpRequest request, StreamTargets targets, CancellationToken cancellationToken)
    {
        var (document, fault) = await RequestBody.ReadObjectAsync(request, MaxBytes, "a JSON object with 'from', 'to' and 'target'", Example, mayBeEmpty: false, cancellationToken);
        if (document is null)
            return (null, fault);
        using (document)
            return Read(new(document.RootElement), targets);
    }

    private static (ReplayRequest? Request, IResult? Fault) Read(JsonMembers body, StreamTargets targets)
    {
        var (from, to) = (body.Time("from"), body.Time("to"));
        foreach (var (name, time) in ((string, long?)[])[("from", from), ("to", to)])
        {
            if (time is null)
                body.Fail(name, "It is missing. Give a time as RFC 3339 writes it, for example 2026-01-31T08:00:00Z.");
        }

        if (from >= to)
            body.Fail("from", "It must lie before 'to'.");
        var target = body.Text("target");
        if (target is null)
            body.Fail("target", "It is missing. Name the stream (topic, hub) that takes the events.");
        else if (!StreamName.IsMatch(target))
            body.Fail("target", "Expected a stream's name: 1 to 200 letters, digits, '.', '_' and '-'.");
        var allowLive = body.Boolean("allow_live");
        if (target is not null && !allowLive && targets.IsOwn(target))
            body.Fail("allow_live", $"'{target}' is the live stream: the platform's own consumers would see the events again, with the header origin=replay. Say \"allow_live\": true to do so, or name another target.");
        var rate = body.Number("rate", MinRate, MaxRate);
        var onOversized = body.Choice("on_oversized", "fail", "skip") ?? "fail";
        var filter = body.Whole("filter") ?? s_everything;
        var (axis, faults) = ReplayFilter.Apply(new() { Kind = "replay", Axis = TimeAxis.Arrival }, filter, from ?? 0, to ?? 0);
        foreach (var (name, message) in faults)
            body.Fail($"filter.{name}", message);
        return body.Problem() is { } problem ? (null, problem) : (new(from!.Value, to!.Value, filter.GetRawText(), axis, target!, rate, allowLive, onOversized), null);
    }

    [GeneratedRegex(@"\A[A-Za-z0-9._-]{1,200}\z")]
    private static partial Regex StreamName { get; }
}
