using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using PaymentPlatform.Events;
using PaymentPlatform.Query.Lifecycle;

namespace PaymentPlatform.Query.Audit;

/// <summary>
/// Answers the trail as one page that needs nothing else, to be read in order and printed on A4. What it shows may have been sent by anybody: every value goes through <see cref="HtmlWriter.Text"/>, and the policy lets nothing run or load.
/// </summary>
internal sealed class AuditPage(AuditTrail trail) : IResult
{
    private static readonly string s_style = """
        :root { color-scheme: light; }
        * { box-sizing: border-box; }
        body { margin: 0 auto; padding: 28px 32px 48px; max-width: 210mm; background: #fff; color: #16202c; font: 13px/1.45 system-ui, "Segoe UI", "Helvetica Neue", Arial, sans-serif; }
        h1 { margin: 0 0 4px; font-size: 21px; line-height: 1.25; overflow-wrap: anywhere; }
        h2 { margin: 28px 0 8px; padding-bottom: 4px; border-bottom: 2px solid #16202c; font-size: 16px; }
        h3 { margin: 20px 0 6px; font-size: 14px; }
        h4 { margin: 12px 0 4px; font-size: 12px; color: #4a5767; }
        p { margin: 4px 0; }
        .soft, dt, th { color: #4a5767; }
        .mono, time, dd.mono { font-family: ui-monospace, "Cascadia Mono", "DejaVu Sans Mono", Menlo, Consolas, monospace; font-size: 11.5px; }
        .warn { margin: 10px 0; padding: 8px 12px; border: 1px solid #b45309; border-left-width: 5px; }
        table { width: 100%; border-collapse: collapse; table-layout: fixed; }
        th, td { padding: 4px 10px 4px 0; border-bottom: 1px solid #d4dae1; text-align: left; vertical-align: top; overflow-wrap: anywhere; }
        th { font-weight: 600; font-size: 12px; }
        th:first-child { width: 202px; }
        th.narrow { width: 12%; }
        th.middle { width: 24%; }
        td.what { font-weight: 600; }
        dl { display: grid; grid-template-columns: 42mm minmax(0, 1fr); gap: 2px 12px; margin: 0; }
        dt { font-size: 12px; }
        dd { margin: 0; overflow-wrap: anywhere; }
        pre { margin: 0; padding: 8px 10px; border: 1px solid #d4dae1; background: #f6f8fa; white-space: pre-wrap; overflow-wrap: anywhere; font: 11px/1.45 ui-monospace, "Cascadia Mono", "DejaVu Sans Mono", Menlo, Consolas, monospace; }
        .tag { display: inline-block; margin-left: 6px; padding: 0 7px; border: 1px solid #4a5767; border-radius: 9px; font-size: 11px; font-weight: 600; }
        .tag.bad { border-color: #b91c1c; color: #b91c1c; }
        @page { size: A4; margin: 15mm 14mm 16mm; }
        @media screen and (max-width: 600px) { body { padding: 16px; } dl { grid-template-columns: minmax(0, 1fr); gap: 0; } dd { margin-bottom: 5px; } th:first-child { width: 27%; } }
        @media print { body { max-width: none; padding: 0; font-size: 9pt; } time { font-size: 8pt; } th:first-child { width: 50mm; } h2, h3, h4 { break-after: avoid; } tr, dt, dd, .warn { break-inside: avoid; } thead { display: table-header-group; } pre { background: none; } }
        """.ReplaceLineEndings("\n");

    /// <summary>Only the one style that is ours.</summary>
    private static readonly string s_policy =
        $"default-src 'none'; style-src 'sha256-{Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(s_style)))}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    /// <summary>Columns that stand elsewhere in an event's part.</summary>
    private static readonly HashSet<string> s_shownElsewhere = ["raw_payload", "raw_payload_base64", "errors", "archive_file", "stream", "stream_log_id", "stream_partition", "stream_offset", "is_valid", "duplicate", "origin"];

    public async Task ExecuteAsync(HttpContext httpContext)
    {
        using var buffer = new ResponseBuffer(httpContext.Response);
        var html = new HtmlWriter(buffer);
        httpContext.Response.ContentType = "text/html; charset=utf-8";
        httpContext.Response.Headers.ContentSecurityPolicy = s_policy;
        html.Markup("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>Audit trail of ").Text(trail.TransactionId)
            .Markup($"</title><style>{s_style}</style></head><body>\n");
        WriteHead(html);
        WriteTimeline(html);
        html.Markup("<h2>Events</h2>\n");
        if (trail.Events.Count == 0)
            html.Markup("<p>None is archived.</p>\n");
        foreach (var (index, e) in trail.Events.Index())
        {
            WriteEvent(html, e, index);
            if (buffer.IsFull)
                await buffer.FlushAsync(httpContext.RequestAborted);
        }

        html.Markup("<h2>Dead letters</h2>\n");
        if (trail.FailedItems.Count == 0)
            html.Markup("<p>None.</p>\n");
        foreach (var item in trail.FailedItems)
        {
            WriteFailedItem(html, item);
            if (buffer.IsFull)
                await buffer.FlushAsync(httpContext.RequestAborted);
        }

        WriteHits(html);
        WriteReplays(html);
        WriteHolds(html);
        html.Markup("</body></html>\n");
        await buffer.FlushAsync(httpContext.RequestAborted);
    }

    /// <summary>A value as text; null where there is none.</summary>
    public static string? Value(JsonElement value)
    {
        try
        {
            return value.ValueKind switch
            {
                JsonValueKind.Null => null,
                JsonValueKind.String => value.GetString(),
                _ => value.GetRawText(),
            };
        }
        catch (InvalidOperationException)
        {
            // What was sent as JSON is kept as it was sent, halves of surrogate pairs too.
            return value.GetRawText();
        }
    }

    /// <summary>With as many decimals as the currency has, more where the event has them; null where it has no amount.</summary>
    public static string? Amount(JsonElement columns)
    {
        if (columns.GetProperty("amount") is not { ValueKind: JsonValueKind.Number } amount)
            return null;
        var digits = amount.GetRawText();
        var decimals = digits.IndexOf('.') is >= 0 and var point ? digits.Length - point - 1 : 0;
        var missing = columns.GetProperty("currency") is { ValueKind: JsonValueKind.String } currency ? Currencies.MinorDigits(Value(currency)!) - decimals : 0;
        return missing <= 0 ? digits : $"{digits}{(decimals == 0 ? "." : "")}{new string('0', missing)}";
    }

    private void WriteHead(HtmlWriter html)
    {
        html.Markup("<h1>Audit trail of payment ").Text(trail.TransactionId).Markup("</h1>\n<p class=\"soft\">As of ");
        Time(html, trail.AsOf);
        html.Markup(". All times are UTC. SHA-256 of a file is that of the blob's bytes, of a payload that of the exact bytes that came in.</p>\n");
        if (trail.Tail.ArchivedThrough is { } through)
        {
            html.Markup("<p class=\"soft\">Every event that the stream took before ");
            Time(html, through);
            html.Markup(" is in the archive and was looked at.</p>\n");
        }

        if (trail.Tail.UnarchivedEvents > 0 || trail.Tail.ArchivedThrough is null)
        {
            html.Markup("<p class=\"warn\"><b>Later events may be missing.</b> ")
                .Text(trail.Tail.UnarchivedEvents > 0 ? $"Not archived yet, about: {Counted.Of(trail.Tail.UnarchivedEvents, "event")} of the stream." : "It is not known how far the archive goes.").Markup("</p>\n");
        }

        if (trail.Cut.Count > 0)
            html.Markup("<p class=\"warn\"><b>Not all of it.</b> There are more than are shown here of: ").Text(string.Join(", ", trail.Cut)).Markup(".</p>\n");
    }

    private void WriteTimeline(HtmlWriter html)
    {
        html.Markup("<h2>What happened</h2>\n<table><thead><tr><th>Time (UTC)</th><th class=\"middle\">What</th><th>Detail</th></tr></thead><tbody>\n");
        foreach (var step in AuditTimeline.Of(trail))
        {
            html.Markup("<tr><td>");
            Time(html, step.At);
            html.Markup("</td><td class=\"what\">").Text(step.What).Markup("</td><td>").Text(step.Detail).Markup("</td></tr>\n");
        }

        html.Markup("</tbody></table>\n");
    }

    private static void WriteEvent(HtmlWriter html, AuditEvent e, int index)
    {
        var columns = JsonElement.Parse(e.Json, new() { MaxDepth = EventJson.WriterOptions.MaxDepth });
        html.Markup($"<section><h3>Event {index + 1}");
        Tag(html, e.IsValid ? "valid" : "not valid", isBad: !e.IsValid);
        if (e.IsDuplicate)
            Tag(html, "repeat");
        if (e.Origin is not (null or "live"))
            Tag(html, e.Origin);
        Tag(html, e.CountsInFigures ? "counts in figures" : "not in figures");
        html.Markup("</h3>\n<dl>");
        Fact(html, "Position", e.Position.ToString(), mono: true);
        foreach (var column in columns.EnumerateObject().Where(c => !s_shownElsewhere.Contains(c.Name)))
            Fact(html, Label(column.Name), column.NameEquals("amount"u8) ? Amount(columns) : Value(column.Value));
        Fact(html, "Payload SHA-256", e.PayloadSha256, mono: true);
        Fact(html, "Payload bytes", Number(e.PayloadBytes));
        html.Markup("</dl>\n");
        WriteErrors(html, columns.GetProperty("errors"));
        html.Markup("<h4>Archive file</h4>\n");
        if (e.File is { } file)
            WriteFile(html, file);
        else
            html.Markup("<p class=\"mono\">").Text(e.BlobName).Markup("</p><p>The manifest does not know it any more.</p>\n");
        foreach (var earlier in e.EarlierFiles.Reverse())
        {
            html.Markup("<h4>Before that in</h4>\n");
            WriteFile(html, earlier);
        }

        WritePayload(html, columns.TryGetProperty("raw_payload", out var text) ? Value(text) : null, columns.TryGetProperty("raw_payload_base64", out var bytes) ? Value(bytes) : null);
        html.Markup("</section>\n");
    }

    private static void WriteFile(HtmlWriter html, AuditFile file)
    {
        html.Markup("<dl>");
        Fact(html, "Blob", file.BlobName, mono: true);
        Fact(html, "SHA-256", file.Sha256, mono: true);
        Fact(html, "State, tier", $"{file.State} since {EventJson.Format(file.StateChangedAt)}, {file.Tier}");
        Fact(html, "Written", $"{EventJson.Format(file.ArchivedAt)}, {Counted.Of(file.ByteSize, "byte")}, {Counted.Of(file.RowCount, "event")}");
        html.Markup("</dl>\n");
    }

    private void WriteFailedItem(HtmlWriter html, AuditFailedItem item)
    {
        html.Markup("<section><h3>Dead letter ").Text(Number(item.Id));
        Tag(html, item.Sending ? $"{item.Status}, being sent" : item.Status, isBad: item.Status == FailedItems.FailedItemStatus.Pending);
        html.Markup("</h3>\n<dl>");
        var position = new AuditPosition(item.Stream, item.StreamLogId, item.StreamPartition, item.StreamOffset);
        Fact(html, "Event", AuditTimeline.NameOf(trail, position));
        Fact(html, "Position", position.ToString(), mono: true);
        Fact(html, "Transaction id", item.TransactionId);
        Fact(html, "Message id", item.MessageId);
        Fact(html, "Correlation id", item.CorrelationId);
        Fact(html, "Arrived", EventJson.Format(item.EnqueuedAt), mono: true);
        Fact(html, "Set aside", EventJson.Format(item.FailedAt), mono: true);
        Fact(html, "Error", $"{item.ErrorType}: {item.ErrorMessage}");
        Fact(html, "Payload SHA-256", item.PayloadSha256, mono: true);
        Fact(html, "Payload bytes", Number(item.PayloadBytes));
        Fact(html, "Resubmitted as", item.ResubmittedAs is null ? null : $"{item.ResubmittedAs}{(item.Resubmission is { } place ? $", {AuditTimeline.NameOf(trail, place)} at {place}" : ", an event that is not in this trail")}");
        Fact(html, "Its SHA-256", item.ResubmittedSha256, mono: true);
        html.Markup("</dl>\n");
        WriteErrors(html, item.Errors);
        if (item.History.Count > 0)
        {
            html.Markup("<h4>History</h4>\n<table><thead><tr><th>Time (UTC)</th><th class=\"middle\">What</th><th class=\"middle\">Who</th><th>Why</th></tr></thead><tbody>\n");
            foreach (var change in item.History)
            {
                html.Markup("<tr><td>");
                Time(html, change.At);
                html.Markup("</td><td>").Text(change.Action.Replace('_', ' ')).Markup("</td><td>").Text(change.By).Markup("</td><td>").Text(change.Notes ?? "–").Markup("</td></tr>\n");
            }

            html.Markup("</tbody></table>\n");
        }

        if (item.Correction is { Count: > 0 } changes)
        {
            html.Markup("<h4>What the correction changed</h4>\n<table><thead><tr><th>Field</th><th>Before</th><th>After</th></tr></thead><tbody>\n");
            foreach (var change in changes)
                html.Markup("<tr><td>").Text(change.Field).Markup("</td><td class=\"mono\">").Text(change.Before ?? "–").Markup("</td><td class=\"mono\">").Text(change.After ?? "–").Markup("</td></tr>\n");
            html.Markup("</tbody></table>\n");
        }

        // An event of the trail shows the same bytes.
        if (!trail.Events.Any(e => e.Position == position))
            WritePayload(html, item.RawPayload, item.RawPayloadBase64);
        html.Markup("</section>\n");
    }

    private void WriteHits(HtmlWriter html)
    {
        html.Markup("<h2>What rules found</h2>\n");
        if (trail.MetricHits.Count == 0)
        {
            html.Markup("<p>Nothing in an event of this payment. Figures over windows are not of one payment.</p>\n");
            return;
        }

        html.Markup("<table><thead><tr><th>Event time (UTC)</th><th class=\"middle\">Rule</th><th class=\"narrow\">Value</th><th class=\"narrow\">Event</th><th>Seen</th></tr></thead><tbody>\n");
        foreach (var hit in trail.MetricHits)
        {
            html.Markup("<tr><td>");
            Time(html, hit.Time);
            html.Markup("</td><td>").Text($"{hit.RuleName}, version {hit.RuleVersion} ({hit.MetricType})").Markup("</td><td>").Text(hit.MetricValue?.Digits ?? "–").Markup("</td><td>")
                .Text(AuditTimeline.NameOf(trail, new(hit.Stream!, hit.StreamLogId!, hit.StreamPartition!.Value, hit.StreamOffset!.Value))).Markup("</td><td class=\"mono\">")
                .Text(hit.MetricData is { } data ? data.GetRawText() : "–").Markup("</td></tr>\n");
        }

        html.Markup("</tbody></table>\n");
    }

    private void WriteReplays(HtmlWriter html)
    {
        html.Markup("<h2>Replays</h2>\n");
        if (trail.Replays.Count == 0)
            html.Markup("<p>None has taken or brought an event of this payment.</p>\n");
        foreach (var audit in trail.Replays)
        {
            html.Markup("<section><h3>Replay ").Text(audit.OriginId);
            if (audit.Replay is not null)
                Tag(html, audit.Replay.State);
            html.Markup("</h3>\n<dl>");
            if (audit.Replay is { } replay)
            {
                Fact(html, "Asked for", $"{EventJson.Format(replay.RequestedAt)}, by {replay.RequestedBy}");
                Fact(html, "Range", $"{EventJson.Format(replay.From)} to {EventJson.Format(replay.To)}");
                Fact(html, "Filter", replay.Filter.GetRawText(), mono: true);
                Fact(html, "Target", replay.AllowLive ? $"{replay.Target} (the live stream was allowed)" : replay.Target);
                Fact(html, "Ended", replay.EndedAt is { } ended ? EventJson.Format(ended) : null);
                Fact(html, "Error", replay.Error);
            }
            else
            {
                Fact(html, "Job", "There is no replay with this id any more; events name it.");
            }

            Fact(html, "Takes", audit.Taken.Count == 0 ? null : string.Join("; ", audit.Taken.Select(t => $"{AuditTimeline.NameOf(trail, t.Position)}{(t.Delivered switch { true => ", delivered", false => ", left out as too large", null => ", delivery not known" })}")));
            Fact(html, "Brought", audit.Arrived.Count == 0 ? null : string.Join("; ", audit.Arrived.Select(p => AuditTimeline.NameOf(trail, p))));
            html.Markup("</dl></section>\n");
        }
    }

    private void WriteHolds(HtmlWriter html)
    {
        if (trail.LegalHolds is not { } holds)
            return;
        html.Markup("<h2>Legal holds</h2>\n");
        if (holds.Count == 0)
        {
            html.Markup("<p>None.</p>\n");
            return;
        }

        html.Markup("<table><thead><tr><th>Placed (UTC)</th><th class=\"narrow\">Hold</th><th>Of</th><th>Why</th><th class=\"narrow\">Released</th></tr></thead><tbody>\n");
        foreach (var hold in holds)
        {
            html.Markup("<tr><td>");
            Time(html, hold.PlacedAt);
            html.Markup("</td><td>").Text($"{Number(hold.Id)}, by {hold.PlacedBy}").Markup("</td><td>").Text(Subject(hold)).Markup("</td><td>").Text(hold.Reason).Markup("</td><td>")
                .Text(hold.ReleasedAt is { } released ? $"{EventJson.Format(released)}, by {hold.ReleasedBy}" : "it holds").Markup("</td></tr>\n");
        }

        html.Markup("</tbody></table>\n");
    }

    private static string Subject(HoldItem hold) => hold is { From: { } from, To: { } to } ? $"events of {EventJson.Format(from)} to {EventJson.Format(to)}" : "this payment";

    private static void WriteErrors(HtmlWriter html, JsonElement errors)
    {
        if (errors.ValueKind == JsonValueKind.Null || (errors.ValueKind == JsonValueKind.Array && errors.GetArrayLength() == 0))
            return;
        html.Markup("<h4>What is wrong with it</h4>\n<ul>");
        foreach (var error in errors.ValueKind == JsonValueKind.Array ? errors.EnumerateArray().ToArray() : [errors])
            html.Markup("<li>").Text(Describe(error)).Markup("</li>");
        html.Markup("</ul>\n");
    }

    private static string? Describe(JsonElement error)
    {
        if (error.ValueKind != JsonValueKind.Object || !error.TryGetProperty("message", out var message))
            return Value(error);
        var found = Member("actual") is { } actual ? $" It has {actual}{(Member("expected") is { } expected ? $"; expected is {expected}" : "")}." : "";
        var text = Value(message);
        return $"{(Member("field") is { } name && text?.StartsWith(name + ' ', StringComparison.Ordinal) != true ? $"{name}: " : "")}{text}{found}";

        string? Member(string name) => error.TryGetProperty(name, out var value) && Value(value) is { Length: > 0 } text ? text : null;
    }

    private static void WritePayload(HtmlWriter html, string? text, string? base64)
    {
        if (text is null && base64 is null)
            return;
        html.Markup(text is null ? "<h4>Payload as it came in; not UTF-8, so in base64</h4>\n<pre>" : "<h4>Payload as it came in</h4>\n<pre>").Text(text ?? base64, lines: true).Markup("</pre>\n");
    }

    private static void Time(HtmlWriter html, DateTime time) => html.Markup("<time>").Text(EventJson.Format(time)).Markup("</time>");

    private static void Tag(HtmlWriter html, string text, bool isBad = false) => html.Markup(isBad ? " <span class=\"tag bad\">" : " <span class=\"tag\">").Text(text).Markup("</span>");

    private static void Fact(HtmlWriter html, string name, string? value, bool mono = false)
    {
        if (value is not null)
            html.Markup("<dt>").Text(name).Markup(mono ? "</dt><dd class=\"mono\">" : "</dt><dd>").Text(value).Markup("</dd>");
    }

    private static string Label(string column) => char.ToUpperInvariant(column[0]) + column[1..].Replace('_', ' ');

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);
}
