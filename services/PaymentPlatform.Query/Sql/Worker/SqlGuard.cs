using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Text.Json;

namespace PaymentPlatform.Query.Sql.Worker;

/// <summary>Walks the tree of a statement. What is not known to be harmless is refused: tables, functions, and any kind of node.</summary>
internal sealed class SqlGuard(string statement, SqlTimeBounds bounds)
{
    public const string Events = "events";
    public const string AllEvents = "all_events";
    public const string Allowed = $"Allowed is exactly one SELECT over the views {Events} and {AllEvents}.";

    private static readonly FrozenSet<string> ExpressionClasses = FrozenSet.Create(
        "BETWEEN", "CASE", "CAST", "COLLATE", "COLUMN_REF", "COMPARISON", "CONJUNCTION", "CONSTANT", "FUNCTION", "LAMBDA", "LAMBDA_REF", "OPERATOR", "POSITIONAL_REFERENCE", "STAR", "SUBQUERY", "WINDOW");

    /// <summary>Of everything that is no expression: queries, tables, modifiers.</summary>
    private static readonly FrozenSet<string> NodeTypes = FrozenSet.Create(
        "SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE",
        "BASE_TABLE", "EMPTY", "EXPRESSION_LIST", "JOIN", "PIVOT", "SHOW_REF", "SUBQUERY", "TABLE_FUNCTION",
        "DISTINCT_MODIFIER", "LIMIT_MODIFIER", "LIMIT_PERCENT_MODIFIER", "ORDER_MODIFIER", "ORDER_DEFAULT", "ASCENDING", "DESCENDING");

    private readonly List<(long? From, long? To)> _references = [];

    /// <exception cref="SqlFailure">Something in it is not allowed.</exception>
    public SqlChecked Check(JsonElement tree)
    {
        Walk(tree, ImmutableHashSet.Create<string>(SqlNames.Comparer));
        return new(
            _references.Count > 0,
            // A row counts when any of the places that read events asks for it.
            _references.Count > 0 && _references.All(r => r.From is not null) ? _references.Min(r => r.From) : null,
            _references.Count > 0 && _references.All(r => r.To is not null) ? _references.Max(r => r.To) : null);
    }

    /// <param name="tables">Names of the common table expressions that are in scope.</param>
    private void Walk(JsonElement element, ImmutableHashSet<string> tables)
    {
        if (element.ValueKind == JsonValueKind.Array)
        {
            foreach (var item in element.EnumerateArray())
                Walk(item, tables);
        }
        else if (element.ValueKind == JsonValueKind.Object)
        {
            WalkObject(element, tables);
        }
    }

    private void WalkObject(JsonElement node, ImmutableHashSet<string> tables)
    {
        if (node.TryGetProperty("class", out var expression))
        {
            CheckExpression(node, expression.GetString()!);
            // Its value has no part that runs.
            if (expression.GetString() == "CONSTANT")
                return;
        }
        else if (node.TryGetProperty("type", out var type) && type.ValueKind == JsonValueKind.String)
        {
            if (WalkNode(node, type.GetString()!, ref tables))
                return;
        }

        foreach (var member in node.EnumerateObject())
        {
            if (member.Name is not ("cte_map" or "type_info"))
                Walk(member.Value, tables);
        }
    }

    private void CheckExpression(JsonElement node, string expressionClass)
    {
        if (expressionClass == "PARAMETER")
            throw Refuse(node, "Parameters are not supported: write the value into the statement.");
        if (!ExpressionClasses.Contains(expressionClass))
            throw Refuse(node, $"An expression of the kind {expressionClass} is not allowed.");
        if (expressionClass is "FUNCTION" or "WINDOW" && !SqlFunctions.Scalar.Contains(Name(node, "function_name")))
            throw Refuse(node, $"The function {Name(node, "function_name")} is not allowed, or does not exist.");
    }

    /// <returns>True when the node has been dealt with as a whole.</returns>
    private bool WalkNode(JsonElement node, string type, ref ImmutableHashSet<string> tables)
    {
        if (!NodeTypes.Contains(type))
            throw Refuse(node, $"A part of the kind {type} is not allowed. {Allowed}");
        if (node.TryGetProperty("cte_map", out var expressions))
        {
            // Each sees those before it; one that names itself means a table of that name.
            foreach (var entry in expressions.GetProperty("map").EnumerateArray())
            {
                Walk(entry.GetProperty("value"), tables);
                tables = tables.Add(entry.GetProperty("key").GetString()!);
            }
        }

        switch (type)
        {
            case "RECURSIVE_CTE_NODE":
                Walk(node.GetProperty("left"), tables);
                Walk(node.GetProperty("right"), tables.Add(Name(node, "cte_name")));
                return true;
            case "SELECT_NODE" when node.GetProperty("from_table") is var from && IsEvents(from, tables):
                _references.Add(bounds.Of(node));
                foreach (var member in node.EnumerateObject().Where(m => m.Name is not ("cte_map" or "from_table")))
                    Walk(member.Value, tables);
                return true;
            case "BASE_TABLE":
                CheckTable(node, tables);
                return false;
            case "TABLE_FUNCTION":
                CheckTableFunction(node.GetProperty("function"), tables);
                return true;
            case "SHOW_REF":
                if (node.GetProperty("query").ValueKind != JsonValueKind.Object || Name(node, "show_type") is not ("DESCRIBE" or "SUMMARY"))
                    throw Refuse(node, $"SHOW is not allowed; DESCRIBE {Events} lists the columns. {Allowed}");
                return false;
            default:
                return false;
        }
    }

    private void CheckTable(JsonElement node, ImmutableHashSet<string> tables)
    {
        if (IsEvents(node, tables))
            _references.Add((null, null));
        else if (!IsUnqualified(node) || !tables.Contains(Name(node, "table_name")))
            throw Refuse(node, $"There is no table {string.Join('.', new[] { Name(node, "catalog_name"), Name(node, "schema_name"), Name(node, "table_name") }.Where(n => n.Length > 0))}: files and system tables can't be read. {Allowed}");
    }

    private void CheckTableFunction(JsonElement function, ImmutableHashSet<string> tables)
    {
        if (!SqlFunctions.Table.Contains(Name(function, "function_name")))
            throw Refuse(function, $"The table function {Name(function, "function_name")} is not allowed, or does not exist. Allowed are {string.Join(", ", SqlFunctions.Table.Order(StringComparer.Ordinal))}.");
        // Not the function itself: as an expression it has other names.
        foreach (var member in function.EnumerateObject())
            Walk(member.Value, tables);
    }

    /// <summary>Whether it is one of the views, by a name that no common table expression hides.</summary>
    private static bool IsEvents(JsonElement table, ImmutableHashSet<string> tables) =>
        table.ValueKind == JsonValueKind.Object && Name(table, "type") == "BASE_TABLE" && IsUnqualified(table)
        && Name(table, "table_name") is var name && !tables.Contains(name) && (SqlNames.Comparer.Equals(name, Events) || SqlNames.Comparer.Equals(name, AllEvents));

    private static bool IsUnqualified(JsonElement table) => Name(table, "schema_name").Length == 0 && Name(table, "catalog_name").Length == 0;

    private static string Name(JsonElement node, string member) => node.GetProperty(member).GetString()!;

    private SqlFailure Refuse(JsonElement node, string message) => new(
        SqlFailureKind.Refused, message, node.TryGetProperty("query_location", out var at) && at.TryGetInt32(out var offset) ? EngineError.Position(statement, offset) : null);
}
