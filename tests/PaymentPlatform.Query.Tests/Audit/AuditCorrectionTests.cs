using System.Text;
using PaymentPlatform.Query.Audit;

namespace PaymentPlatform.Query.Tests.Audit;

public sealed class AuditCorrectionTests
{
    [Theory]
    [InlineData("{}", "{}", "")]
    [InlineData("""{"a": 1.0, "b": {"c": [1]}}""", """{ "b":{"c":[ 1 ]},"a":1.0 }""", "")]
    [InlineData("""{"amount": "12.5"}""", """{"amount": 12.5}""", "amount: \"12.5\" > 12.5")]
    [InlineData("""{"a": 1.0}""", """{"a": 1.00}""", "a: 1.0 > 1.00")]
    [InlineData("""{"a": 1}""", """{"b": 1}""", "a: 1 > -, b: - > 1")]
    [InlineData("""{"a": null}""", "{}", "a: null > -")]
    [InlineData("""{"metadata": {"risk": 2, "x": 1}}""", """{"metadata": {"risk": 0.2, "x": 1}}""", "metadata.risk: 2 > 0.2")]
    [InlineData("""{"metadata": {"risk": 2}}""", """{"metadata": []}""", "metadata: {\"risk\": 2} > []")]
    [InlineData("""{"a": 1, "a": 2}""", """{"a": 2}""", "a: 1, 2 > 2")]
    [InlineData("""{"a": [1, 2]}""", """{"a": [2, 1]}""", "a: [1, 2] > [2, 1]")]
    public void Compare_Objects_ByMember(string before, string after, string expected) =>
        Assert.Equal(expected, string.Join(", ", AuditCorrection.Compare(Encoding.UTF8.GetBytes(before), Encoding.UTF8.GetBytes(after))!.Select(c => $"{c.Field}: {c.Before ?? "-"} > {c.After ?? "-"}")));

    [Theory]
    [InlineData("not JSON", "{}")]
    [InlineData("[]", "{}")]
    [InlineData("{}", "1")]
    [InlineData("""{"\ud800": 1}""", """{"\ud800": 2}""")]
    public void Compare_SomethingElse_IsNotToBeCompared(string before, string after) => Assert.Null(AuditCorrection.Compare(Encoding.UTF8.GetBytes(before), Encoding.UTF8.GetBytes(after)));
}
