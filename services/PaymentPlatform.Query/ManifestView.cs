namespace PaymentPlatform.Query;

/// <summary>The files of a time range as they were live at one moment.</summary>
/// <param name="Generation">Names the moment: every change of a file into or out of <c>live</c> has the next number.</param>
public sealed record ManifestView(IReadOnlyList<ArchiveFile> Files, long Generation);
