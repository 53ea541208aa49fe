using System.Globalization;
using PaymentPlatform.BlobArchiver;
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
            $"Compared {compared.Files} files ({compared.Bytes} bytes; the contents of {compared.Contents} read) with {compared.Blobs} blobs, {compared.Ranges} ranges with {compared.Partitions} checkpoints, and from {report.From:u} to {report.To:u} {compared.Events} events and {compared.DeadLetters} invalid ones with {compared.Figures} figures and dead letters."));
        Console.Out.WriteLine(report.Agrees ? "All agrees." : $"It does not agree: {report.FindingsByKind.Sum(k => k.Value)} findings ({string.Join(", ", report.FindingsByKind.Select(k => $"{k.Value} {k.Key}"))}).");
    }

    private static string Difference(ReconciliationFinding finding) => (finding.Expected, finding.Actual) switch
    {
        (null, null) => "",
        (null, var actual) => $" Found {actual}.",
        (var expected, null) => $" Expected {expected}.",
        var (expected, actual) => $" Expected {expected}, found {actual}.",
    };
}
