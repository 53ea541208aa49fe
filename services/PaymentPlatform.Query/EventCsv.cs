using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Unicode;

namespace PaymentPlatform.Query;

/// <summary>
/// Writes events as CSV (RFC 4180: CRLF, quotes doubled) with a header line. Null is an empty cell, an empty text is a quoted one.
/// A text that a spreadsheet would take for a formula gets an apostrophe in front unless told otherwise: payment data is hostile, and spreadsheets are what reads CSV.
/// </summary>
public sealed class EventCsv(IBufferWriter<byte> output, bool guardFormulas)
{
    private static readonly SearchValues<byte> Special = SearchValues.Create("\",\r\n"u8);
    private static readonly byte[] Header = Encoding.UTF8.GetBytes(string.Join(',', EventColumn.All.Select(c => c.PublicName)) + ",raw_payload_base64\r\n");
    private byte[] _scratch = new byte[1024];

    public void WriteHeader() => output.Write(Header);

    public void Write(EventRow row)
    {
        for (var i = 0; i < EventColumn.All.Count; i++)
        {
            if (i > 0)
                output.Write(","u8);
            WriteCell(row, i);
        }

        output.Write("\r\n"u8);
    }

    private void WriteCell(EventRow row, int column)
    {
        var kind = EventColumn.All[column].Kind;
        if (row.IsNull(column))
        {
            if (kind == EventColumnKind.Payload)
                output.Write(","u8);
            return;
        }

        switch (kind)
        {
            case EventColumnKind.Timestamp:
                Timestamps.Write(row.Integer(column), output.GetSpan(Timestamps.Length));
                output.Advance(Timestamps.Length);
                break;
            case EventColumnKind.Amount:
                WritePlain(ExactNumbers.Format(row.Amount(column)));
                break;
            case EventColumnKind.Integer:
                WritePlain(row.Integer(column).ToString(CultureInfo.InvariantCulture));
                break;
            case EventColumnKind.Boolean:
                output.Write(row.Boolean(column) ? "true"u8 : "false"u8);
                break;
            case EventColumnKind.Payload:
                var payload = row.Payload(column);
                if (Utf8.IsValid(payload))
                    WriteText(payload);
                output.Write(","u8);
                if (!Utf8.IsValid(payload))
                    WritePlain(Convert.ToBase64String(payload));
                break;
            default:
                var text = row.Text(column);
                var most = Encoding.UTF8.GetMaxByteCount(text.Length);
                if (_scratch.Length < most)
                    _scratch = new byte[most * 2];
                WriteText(_scratch.AsSpan(0, Encoding.UTF8.GetBytes(text, _scratch)));
                break;
        }
    }

    private void WritePlain(string ascii) => Encoding.UTF8.GetBytes(ascii, output);

    private void WriteText(ReadOnlySpan<byte> text)
    {
        var guard = guardFormulas && text.Length > 0 && text[0] is (byte)'=' or (byte)'+' or (byte)'-' or (byte)'@' or (byte)'\t' or (byte)'\r';
        if (text.Length > 0 && !guard && !text.ContainsAny(Special) && text[0] != ' ' && text[^1] != ' ')
        {
            output.Write(text);
            return;
        }

        output.Write("\""u8);
        if (guard)
            output.Write("'"u8);
        for (int quote; (quote = text.IndexOf((byte)'"')) >= 0; text = text[(quote + 1)..])
        {
            output.Write(text[..quote]);
            output.Write("\"\""u8);
        }

        output.Write(text);
        output.Write("\""u8);
    }
}
