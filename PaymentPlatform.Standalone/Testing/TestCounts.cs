using System.Text.Json;

namespace PaymentPlatform.Standalone.Testing;

/// <summary>What a test program, or all of them, came to.</summary>
/// <param name="Failures">A line each: the test's name, and the first line of what it said.</param>
internal sealed record TestCounts(int Passed, int Failed, int Skipped, IReadOnlyList<string> Failures)
{
    public static readonly TestCounts None = new(0, 0, 0, []);

    /// <summary>A program that ended without saying which test failed.</summary>
    public static TestCounts Crash(string reason) => new(0, 1, 0, [reason]);

    public static TestCounts operator +(TestCounts left, TestCounts right) =>
        new(left.Passed + right.Passed, left.Failed + right.Failed, left.Skipped + right.Skipped, [.. left.Failures, .. right.Failures]);

    /// <summary>Of a CTRF file (ctrf.io) as xunit writes it; errors outside of tests, as in a fixture's clean-up, count as failures.</summary>
    /// <exception cref="JsonException">Not a CTRF file.</exception>
    public static TestCounts FromCtrf(ReadOnlyMemory<byte> json)
    {
        using var document = JsonDocument.Parse(json);
        if (!document.RootElement.TryGetProperty("results", out var results) || !results.TryGetProperty("summary", out var summary))
            throw new JsonException("The test results have no summary.");
        var failures = new List<string>();
        if (results.TryGetProperty("tests", out var tests))
            failures.AddRange(tests.EnumerateArray().Where(test => Text(test, "status") == "failed").Select(test => Describe(Text(test, "name"), test)));
        var errors = 0;
        if (results.TryGetProperty("extra", out var extra) && extra.TryGetProperty("suites", out var suites))
        {
            foreach (var error in suites.EnumerateArray().Where(suite => suite.TryGetProperty("errors", out _)).SelectMany(suite => suite.GetProperty("errors").EnumerateArray()))
            {
                errors++;
                failures.Add(Describe("outside of a test", error));
            }
        }

        return new(Count("passed"), Count("failed") + errors, Count("skipped"), failures);

        int Count(string name) => summary.GetProperty(name).GetInt32();
    }

    private static string Describe(string? name, JsonElement failure) => $"{name}: {(Text(failure, "message") ?? "no message").Split('\n')[0].TrimEnd()}";

    private static string? Text(JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
