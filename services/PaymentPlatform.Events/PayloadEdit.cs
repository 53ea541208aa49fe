namespace PaymentPlatform.Events;

/// <summary>Bytes <c>[Start, End)</c> of a payload and what takes their place.</summary>
internal readonly record struct PayloadEdit(int Start, int End, byte[] Replacement)
{
    /// <param name="payload">The original bytes.</param>
    /// <param name="edits">In order, without overlap.</param>
    public static byte[] Apply(ReadOnlySpan<byte> payload, List<PayloadEdit> edits)
    {
        var length = payload.Length;
        foreach (var edit in edits)
            length += edit.Replacement.Length - (edit.End - edit.Start);

        var output = new byte[length];
        var (read, written) = (0, 0);
        foreach (var edit in edits)
        {
            payload[read..edit.Start].CopyTo(output.AsSpan(written));
            written += edit.Start - read;
            edit.Replacement.CopyTo(output, written);
            written += edit.Replacement.Length;
            read = edit.End;
        }

        payload[read..].CopyTo(output.AsSpan(written));
        return output;
    }
}
