namespace PaymentPlatform.Query.Sql.Worker;

/// <summary>The statement is not answered.</summary>
internal sealed class SqlFailure(SqlFailed failed) : Exception(failed.Message)
{
    public SqlFailure(SqlFailureKind kind, string message, int? position = null)
        : this(new SqlFailed(kind, message, position))
    {
    }

    public SqlFailed Failed { get; } = failed;
}
