using System.Text.Json;

namespace PaymentPlatform.Query.Tests.Reconciliation;

/// <summary>What the tests of the reconciliation look for in a report.</summary>
internal static class ReconciliationReports
{
    public static void AssertAgrees(JsonElement report)
    {
        Assert.True(report.GetProperty("agrees").GetBoolean(), report.GetRawText());
        Assert.Empty(report.GetProperty("findings").EnumerateArray());
    }

    public static void AssertFindings(JsonElement report, params (string Kind, string Subject)[] expected)
    {
        Assert.False(report.GetProperty("agrees").GetBoolean());
        Assert.Equal(expected.Order(), ReconciledPlatform.Findings(report).Order());
        Assert.Equal(expected.Length, Number(report, "finding_count"));
    }

    public static long Number(JsonElement element, string name) => element.GetProperty(name).GetInt64();
}
