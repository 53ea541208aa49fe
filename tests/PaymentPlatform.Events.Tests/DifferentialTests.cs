using System.Globalization;
using System.Text;
using System.Text.Json;
using CsCheck;
using PaymentPlatform.Testing;

namespace PaymentPlatform.Events.Tests;

public sealed class DifferentialTests
{
    private const uint Seed = 20251208;

    private static readonly Gen<string> Time =
        Gen.Select(Gen.Int[2024, 2026], Gen.Int[0, 13], Gen.Int[0, 32], Gen.Int[0, 24], Gen.Int[0, 60], Gen.OneOf("T", " ", "t", ""), Gen.OneOf("", ".5", ".123456789", ".", ".1234567890")).SelectMany(
            time => Gen.OneOf("", "", "Z", "z", "+00:00", "-08:00", "+13:59", "+2:00").Select(zone =>
                string.Create(CultureInfo.InvariantCulture, $"\"{time.Item1:0000}-{time.Item2:00}-{time.Item3:00}{time.Item6}{time.Item4:00}:{time.Item5:00}:{time.Item5:00}{time.Item7}{zone}\"")));

    // At most 28 digits and small exponents: what decimal can hold exactly.
    private static readonly Gen<string> Amount =
        Gen.Select(Gen.OneOf("", "", "", "-"), Gen.Long[0, 9_999_999_999_999_999], Gen.OneOf("", ".0", ".5", ".25", ".0001", ".00010", ".00001", ".123456"), Gen.OneOf("", "", "", "e0", "e1", "E-2", "e+3", "e-5"), Gen.Bool)
            .Select((sign, whole, fraction, exponent, quoted) => quoted ? $"\"{sign}{whole}{fraction}{exponent}\"" : $"{sign}{whole}{fraction}{exponent}");

    private static readonly Gen<string> SmallAmount = Gen.Int[0, 100_000].Select(cents => string.Create(CultureInfo.InvariantCulture, $"{cents / 100m}"));

    private static readonly Gen<string> Text = Gen.String[Gen.Char.AlphaNumeric, 0, 12].Select(text => JsonSerializer.Serialize(text));

    private static readonly Gen<string> Junk = Gen.OneOf("null", "true", "17", "\"\"", "{}", "[]", "[1,{\"a\":null}]", "{\"a\":[]}", "\"1.5\"", "\"x\"", "\"\\u00e9\\n\"");

    private static readonly Gen<(string, string)> Field = Gen.Frequency<(string, string)>(
        (6, Pair("transaction_timestamp", Time)), (2, Pair("timestamp", Time)), (3, Pair("amount", Amount)), (4, Pair("amount", SmallAmount)),
        (6, Pair("currency", Gen.OneOf("\"EUR\"", "\"USD\"", "\"JPY\"", "\"eur\"", "\"ZZZ\"", "\"\\u0045UR\"", "\"EURO\""))),
        (6, Pair("payment_status", Gen.OneOf("\"completed\"", "\"success\"", "\"declined\"", "\"refunded\"", "\"nope\"", "\"p\\u0065nding\""))),
        (2, Pair("status", Gen.OneOf("\"failed\"", "\"Failed\""))),
        (6, Pair("transaction_id", Text)), (6, Pair("payment_method", Text)), (3, Pair("customer_id", Text)), (2, Pair("cust\\u006fmer_id", Text)), (3, Pair("merchant_name", Text)),
        (2, Pair("metadata", Gen.OneOf("{}", "{\"a\":{\"b\":[1,2]}}"))), (2, Pair("compliance_violations", Gen.OneOf("[]", "[\"AML\"]"))), (2, Pair("channel", Junk)),
        (2, Gen.OneOf("transaction_id", "amount", "currency", "transaction_timestamp", "payment_status", "payment_method", "customer_email", "metadata", "compliance_violations", "something").SelectMany(name => Pair(name, Junk))),
        (2, Pair("unknown", Junk)));

    private static readonly (string Name, string Value)[] Base =
    [
        ("transaction_id", "\"t\""), ("transaction_timestamp", "\"2025-01-01T00:00:00Z\""), ("amount", "1"), ("currency", "\"EUR\""), ("payment_method", "\"m\""), ("payment_status", "\"completed\""),
    ];

    /// <summary>A valid event in which some fields are replaced, and some more are added: about a third stays valid.</summary>
    private static readonly Gen<string> Events = Gen.Select(Field.Array[0, 6], Gen.Bool, Gen.Int[0, 64]).Select((fields, replace, dropped) =>
    {
        var kept = Base.Where((field, i) => (dropped != i) && !(replace && fields.Any(added => added.Item1 == field.Name)));
        return $"{{{string.Join(" , ", kept.Concat(fields).Select(field => $"\"{field.Item1}\" : {field.Item2}"))}}}";
    });

    [Fact]
    public void Parse_GeneratedEvents_AgreesWithTheSlowModel()
    {
        var parser = new TransactionParser(new TransactionParserOptions { CardData = CardDataMode.Allow });
        var valid = 0;
        Events.ForEach(Seed, 30_000, json =>
        {
            var result = parser.Parse(Encoding.UTF8.GetBytes(json), Event.NowMicros);
            var found = result.Errors.Select(error => $"{error.Field switch { "timestamp" => "transaction_timestamp", "status" => "payment_status", var name => name }} {error.Constraint}")
                .Order(StringComparer.Ordinal).ToList();
            valid += result.IsValid ? 1 : 0;
            Assert.Equal(SlowModel.Errors(json, Event.NowMicros), found);
        });
        Assert.InRange(valid, 3_000, 27_000);
    }

    [Fact]
    public void Parse_GeneratedAmounts_AreExactAsDecimals()
    {
        Amount.ForEach(Seed, 20_000, json =>
        {
            var scaled = Event.ParseWith(("amount", json)).Transaction.AmountScaled;
            var exact = decimal.Parse(json.Trim('"'), NumberStyles.Float, CultureInfo.InvariantCulture) * 10_000m;
            if (scaled is { } value)
                Assert.Equal((Int128)exact, value);
            else
                Assert.True(exact != decimal.Truncate(exact) || Math.Abs(exact) > 9_999_999_999_999_999_999m || CardNumbers.Contains(Encoding.ASCII.GetBytes(json)) || NumberTokens.HoldsCardNumber(Encoding.ASCII.GetBytes(json.Trim('"'))));
        });
    }

    private static Gen<(string, string)> Pair(string name, Gen<string> value) => value.Select(json => (name, json));
}
