using System.Text.Json;

namespace PaymentPlatform.Query;

/// <summary>What an answer from the archive can't show yet: the events that the stream holds and the archiver has not written.</summary>
/// <param name="UnarchivedEvents">How many, about: brokers leave holes in offsets.</param>
/// <param name="ArchivedThrough">Every event that the stream took before it is in the archive (UTC). Null where nobody knows: no archiver has ever run, or it is behind and the transport does not tell since when.</param>
public sealed record ArchiveTail(long UnarchivedEvents, DateTime? ArchivedThrough)
{
    /// <summary>Adds <c>"tail": {"unarchived_events", "archived_through"}</c> to the open object.</summary>
    public void Write(Utf8JsonWriter writer)
    {
        writer.WriteStartObject("tail"u8);
        writer.WriteNumber("unarchived_events"u8, UnarchivedEvents);
        writer.WriteString("archived_through"u8, Through);
        writer.WriteEndObject();
    }

    /// <summary>For answers that have no place for it: <c>Unarchived-Events</c> and, where it is known, <c>Archived-Through</c>.</summary>
    public void Write(IHeaderDictionary headers)
    {
        headers["Unarchived-Events"] = UnarchivedEvents.ToString(System.Globalization.CultureInfo.InvariantCulture);
        if (Through is { } through)
            headers["Archived-Through"] = through;
    }

    /// <summary>For what was not found: a sentence that says whether the stream may hold it.</summary>
    public string Missing()
    {
        if (UnarchivedEvents > 0)
            return $"It may be among what is not archived yet: {Counted.Of(UnarchivedEvents, "event")} of the stream.";
        return ArchivedThrough is null ? "The stream may hold it: no archiver has run." : "All that the stream holds is archived.";
    }

    private string? Through => ArchivedThrough is { } time ? EventJson.Format(time) : null;
}
