using System.Globalization;
using PaymentPlatform.BlobArchiver;
using PaymentPlatform.Query;
using PaymentPlatform.Query.Reconciliation;

namespace PaymentPlatform.Standalone.Reconcile;

/// <summary>The report for a person, or for a program.</summary>
internal static class ReconcileOutput
{
    public static void Write(ReconciliationReport report, IReadOnlyList<RepairedFile> repaired, bool json)
    {
        var notes = json ? Console.Error : Console.Out;
        foreach (var file in repaired)
            notes.WriteLine(file.NewBlobName is null ? $"not repaired  {file.BlobName}: {file.Reason}" : $"repaired  {file.BlobName} as {file.NewBlobName}");
        if (json)
        {
            Console.Out.WriteLine(report.ToJson());
            return;
        }

        foreach (var finding in report.Findings)
            Console.Out.WriteLine(OneLine.Of($"{finding.Severity}  {finding.Kind}  {finding.Subject}: {finding.Message}{Difference(finding)} {finding.Repair}"));
        foreach (var skipped in report.Skipped)
            Console.Out.WriteLine($"not compared  {skipped.Check}  {skipped.Subject}: {skipped.Reason}");
        var compared = report.Checked;
        Console.Out.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"Compared {Counted.Of(compared.Files, "file")} ({Counted.Of(compared.Bytes, "byte")}; the contents of {compared.Contents} read) with {Counted.Of(compared.Blobs, "blob")}, {Counted.Of(compared.Ranges, "range")} with {Counted.Of(compared.Partitions, "checkpoint")}, and from {report.From:u} to {report.To:u} {Counted.Of(compared.Events, "event")} and {compared.DeadLetters} invalid ones with {Counted.Of(compared.Figures, "figure")} and dead letters."));
        Console.Out.WriteLine(
            (report.Agrees ? "All agrees." : $"It does not agree: {Counted.Of(report.Disagreements.Values.Sum(), "finding")} ({ByKind(report.Disagreements)}).")
            + (report.Known.Count > 0 ? $" For information: {ByKind(report.Known)}." : "")
            + (report.Skipped.Count > 0 ? " Not everything could be compared: see above." : ""));
    }

    private static string ByKind(IReadOnlyDictionary<string, long> findings) => string.Join(", ", findings.Select(kind => $"{kind.Value} {kind.Key}"));

    private static string Difference(ReconciliationFinding finding) => (finding.Expected, finding.Actual) switch
    {
        (null, null) => "",
        (null, var actual) => $" Found {actual}.",
        (var expected, null) => $" Expected {expected}.",
        var (expected, actual) => $" Expected {expected}, found {actual}.",
    };
}
