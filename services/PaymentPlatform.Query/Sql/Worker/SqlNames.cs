using System.Diagnostics.CodeAnalysis;

namespace PaymentPlatform.Query.Sql.Worker;

/// <summary>Compares names as DuckDB does: without regard to the case of ASCII letters, and of no others.</summary>
internal sealed class SqlNames : IEqualityComparer<string>
{
    public static SqlNames Comparer { get; } = new();

    public bool Equals(string? x, string? y) => x is null || y is null ? x is null && y is null : Lower(x) == Lower(y);

    public int GetHashCode([DisallowNull] string obj) => string.GetHashCode(Lower(obj), StringComparison.Ordinal);

    private static string Lower(string name) => string.Create(name.Length, name, static (target, source) =>
    {
        for (var i = 0; i < source.Length; i++)
            target[i] = char.IsAsciiLetterUpper(source[i]) ? (char)(source[i] | 0x20) : source[i];
    });
}
