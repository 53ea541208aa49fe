namespace PaymentPlatform.Query.Sql;

/// <summary>What the worker says: a byte for the kind, four for the content's length (little endian), the content.</summary>
internal readonly record struct SqlFrame(SqlFrameKind Kind, byte[] Content)
{
    public const int HeaderLength = 5;

    /// <summary>Beyond it is no content of ours.</summary>
    public const int MaxLength = 1 << 30;
}

internal enum SqlFrameKind : byte
{
    /// <summary><see cref="SqlChecked"/></summary>
    Checked = (byte)'P',

    /// <summary>A JSON array of <c>{"name", "type"}</c>.</summary>
    Columns = (byte)'C',

    /// <summary>Rows as JSON arrays, separated by commas; frames too.</summary>
    Rows = (byte)'R',

    /// <summary><see cref="SqlEnded"/></summary>
    Ended = (byte)'E',

    /// <summary><see cref="SqlFailed"/></summary>
    Failed = (byte)'F',
}
