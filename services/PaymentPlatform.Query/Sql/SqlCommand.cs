namespace PaymentPlatform.Query.Sql;

/// <summary>What the worker is told, a line of JSON each. Exactly one member is set.</summary>
/// <param name="Check">A statement, as the caller wrote it. Answered by <see cref="SqlFrameKind.Checked"/> or <see cref="SqlFrameKind.Failed"/>.</param>
/// <param name="Run">Runs the statement that was checked last. Answered by one <see cref="SqlFrameKind.Columns"/>, any number of <see cref="SqlFrameKind.Rows"/> and one <see cref="SqlFrameKind.Ended"/>, or by <see cref="SqlFrameKind.Failed"/> in place of the rest.</param>
internal sealed record SqlCommand(string? Check, SqlRun? Run);

/// <summary>How to run the checked statement.</summary>
/// <param name="Files">Local copies of the archive files that it may read, and no others.</param>
/// <param name="BlobNames">Their blobs' names, in the same order.</param>
/// <param name="From">Microseconds since the Unix epoch: the views hold events of transaction time <c>[From, To)</c>. Null: no bound.</param>
/// <param name="MaxRows">Rows that are answered at most.</param>
/// <param name="MaxBytes">Bytes of JSON that the rows may take.</param>
/// <param name="Memory">Bytes that DuckDB may hold.</param>
/// <param name="SpillDirectory">An empty folder of this run's own.</param>
internal sealed record SqlRun(
    IReadOnlyList<string> Files, IReadOnlyList<string> BlobNames, long? From, long? To, long MaxRows, long MaxBytes, long Memory, int Threads, string SpillDirectory, long SpillBytes);

/// <summary>A statement that may run.</summary>
/// <param name="ReadsEvents">False: it needs no file.</param>
/// <param name="From">Microseconds since the Unix epoch: rows outside <c>[From, To)</c> of transaction time can't change the answer, by the statement's own conditions. Null: no bound.</param>
internal sealed record SqlChecked(bool ReadsEvents, long? From, long? To);

/// <summary>How a run ended.</summary>
/// <param name="Truncated">There were more rows than <see cref="SqlRun.MaxRows"/> or <see cref="SqlRun.MaxBytes"/> allow.</param>
internal sealed record SqlEnded(long Rows, bool Truncated);

/// <summary>Why a statement was not answered.</summary>
/// <param name="Message">For the caller; no local path in it.</param>
/// <param name="Position">Where in the text, in characters from its beginning; null where the engine does not say.</param>
/// <param name="Blob">The blob whose local copy can't be read.</param>
internal sealed record SqlFailed(SqlFailureKind Kind, string Message, int? Position = null, string? Blob = null);

internal enum SqlFailureKind
{
    /// <summary>Not one SELECT over the events.</summary>
    Refused,

    /// <summary>The engine can't parse, bind or compute it.</summary>
    Invalid,

    /// <summary>It needs more memory or disk than it may have.</summary>
    TooLarge,

    /// <summary>An archive file can't be read.</summary>
    File,

    /// <summary>A fault of ours.</summary>
    Internal,
}
