using System.Text.Json;

namespace PaymentPlatform.Standalone.Testing;

/// <summary>What a test program, or all of them, came to.</summary>
internal readonly record struct TestCounts(int Passed, int Failed, int Skipped)
{
    public static TestCounts operator +(TestCounts left, TestCounts right) =>
        new(left.Passed + right.Passed, left.Failed + right.Failed, left.Skipped + right.Skipped);

    /// <summary>Of a CTRF file (ctrf.io) as xunit writes it; errors outside of tests, as in a fixture's clean-up, count as failures.</summary>
    /// <exception cref="JsonException">Not a CTRF file.</exception>
    public static TestCounts FromCtrf(ReadOnlyMemory<byte> json)
    {
        using var document = JsonDocument.Parse(json);
        if (!document.RootElement.TryGetProperty("results", out var results) || !results.TryGetProperty("summary", out var summary))
            throw new JsonException("The test results have no summary.");
        var errors = 0;
        if (results.TryGetProperty("extra", out var extra) && extra.TryGetProperty("suites", out var suites))
        {
            foreach (var suite in suites.EnumerateArray())
                errors += suite.TryGetProperty("errors", out var list) ? list.GetArrayLength() : 0;
        }

        return new(Count("passed"), Count("failed") + errors, Count("skipped"));

        int Count(string name) => summary.GetProperty(name).GetInt32();
    }
}
