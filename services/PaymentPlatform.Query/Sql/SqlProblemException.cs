namespace PaymentPlatform.Query.Sql;

/// <summary>A statement is not answered; the members are those of the problem details.</summary>
internal sealed class SqlProblemException(int status, string title, string detail) : Exception(detail)
{
    public int Status => status;

    public string Title => title;

    /// <summary>Line and column in the statement, from 1, in characters.</summary>
    public (int Line, int Column)? Position { get; init; }

    public static SqlProblemException TooLarge() => new(
        422, "Query too large",
        $"The statement needs more memory than {QueryOptions.Section}:{nameof(QueryOptions.SqlMemory)} or more disk than {QueryOptions.Section}:{nameof(QueryOptions.SqlSpillBytes)} allows. Ask for a shorter range, fewer columns or fewer groups.");
}
