using System.Text.Json.Serialization;

namespace PaymentPlatform.Query;

/// <summary>The answer to rules that could be taken in.</summary>
/// <param name="Warnings">What is allowed but hardly meant; left out where there is nothing.</param>
public sealed record RulesAreValid(bool Valid, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyList<string>? Warnings = null);
