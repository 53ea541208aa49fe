namespace PaymentPlatform.Faults.Report;

/// <summary>What the platform did about the faults, by its own log: shows that a run met what it was meant to meet.</summary>
internal static class Reactions
{
    private static readonly (string Text, string Name)[] Marks =
    [
        ("was abandoned", "FileAbandoned"), ("another owner has moved on", "Fenced"), ("Reading payments", "ReadAgain"), ("Merged ", "FilesMerged"), ("Wrote the lost file", "FileRestored"), ("wrote it again from its originals", "MergedFileRestored"), ("There is another blob named", "NameTaken"),
        ("that had been pending", "Swept"), ("failed: The stream 'replayed-", "ReplayAppendLost"), ("starts at", "OutOfStep"),
    ];

    public static IReadOnlyDictionary<string, int> Of(IEnumerable<string> log) => log
        .Select(line => Marks.FirstOrDefault(m => line.Contains(m.Text, StringComparison.OrdinalIgnoreCase)).Name)
        .Where(name => name is not null)
        .CountBy(name => name)
        .ToDictionary();
}
