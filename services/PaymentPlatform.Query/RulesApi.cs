using System.Text;
using System.Text.Unicode;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Net.Http.Headers;
using Npgsql;
using PaymentPlatform.MetricEngine.Rules;
using PaymentPlatform.ServiceDefaults.Access;
using PaymentPlatform.Storage.Database.Rules;

namespace PaymentPlatform.Query;

/// <summary><c>GET /v1/rules</c> (the newest version first; with <c>Accept: application/yaml</c> its text alone), <c>PUT /v1/rules</c>, <c>POST /v1/rules/validate</c></summary>
public static partial class RulesApi
{
    private const string YamlType = "application/yaml";
    private const string FileName = "rules";
    private const int MaxBytes = 1 << 20;
    private const int DefaultLimit = 20;
    private const int MaxLimit = 100;

    public static void MapRulesApi(this IEndpointRouteBuilder app)
    {
        app.MapGet("/v1/rules", ListAsync).RequireRole(AccessRole.Read);
        app.MapPut("/v1/rules", (Delegate)PutAsync).RequireRole(AccessRole.Operate);
        app.MapPost("/v1/rules/validate", (Delegate)ValidateAsync).RequireRole(AccessRole.Read);
    }

    private static async Task<IResult> ListAsync(HttpContext context, DatabaseTurns database)
    {
        var parameters = new QueryParameters(context.Request.Query, context.Request.Path);
        var limit = (int)parameters.Integer("limit", DefaultLimit, 1, MaxLimit);
        var before = parameters.CursorId();
        if (parameters.Problem() is { } problem)
            return problem;
        context.Response.Headers.Vary = HeaderNames.Accept;
        if (WantsYaml(context.Request))
        {
            var latest = await database.ExecuteAsync((connection, token) => RuleVersionStore.ListAsync(connection, before, 1, token), context.RequestAborted);
            return latest is [var version]
                ? TypedResults.Text(version.Yaml, YamlType, Encoding.UTF8)
                : TypedResults.Problem("There are no rules yet, or none before this cursor.", statusCode: 404, title: "Rules not found");
        }

        var items = await database.ExecuteAsync(
            async (connection, token) =>
            {
                var newest = (await RuleVersionStore.FindLatestAsync(connection, token))?.Version;
                var versions = await RuleVersionStore.ListAsync(connection, before, limit + 1, token);
                var activations = (await RuleVersionStore.ListActivationsAsync(connection, [.. versions.Select(v => v.Version)], token)).ToLookup(a => a.Version);
                return versions.ConvertAll(v => Item(v, v.Version == newest, activations[v.Version]));
            },
            context.RequestAborted);
        return TypedResults.Json(Page<RuleVersionItem>.Cut(items, limit, item => parameters.NextCursor(item.Version)), QueryJsonContext.Default.PageRuleVersionItem);
    }

    private static async Task<IResult> PutAsync(HttpContext context, DatabaseTurns database, RuleHistory history, ILoggerFactory loggers)
    {
        var parameters = new QueryParameters(context.Request.Query);
        var note = parameters.Text("note");
        if (parameters.Problem() is { } problem)
            return problem;
        var (yaml, fault) = await ReadAsync(context);
        if (yaml is null)
            return fault!;
        var rules = RuleSet.Parse(yaml, FileName);
        if (!rules.IsValid)
            return Refusal(rules.Errors);

        var by = context.User.Identity?.Name ?? "anonymous";
        IReadOnlyList<RuleError> clashes = [];
        var item = await database.ExecuteAsync(
            async (connection, token) =>
            {
                // What is new to this process is read before its turn: others wait for that.
                await LearnAsync(history, connection, token);
                var (version, _) = await RuleVersionStore.AddAsync(
                    connection, yaml, by, note, onlyFirst: false, token,
                    async turn =>
                    {
                        await LearnAsync(history, connection, turn);
                        return (clashes = history.Check(rules.RuleSet, FileName)).Count == 0;
                    });
                var before = await RuleVersionStore.ListAsync(connection, version.Version, 1, token);
                return RulesTakenItem.Of(version, rules.RuleSet, before is [var old] ? RuleSet.Parse(old.Yaml, FileName).RuleSet : null);
            },
            context.RequestAborted);
        if (clashes.Count > 0)
            return Refusal(clashes);
        foreach (var warning in item.Warnings)
            LogWarning(loggers.CreateLogger(typeof(RulesApi)), item.Version, by, warning);
        return TypedResults.Json(item, QueryJsonContext.Default.RulesTakenItem);
    }

    private static async Task<IResult> ValidateAsync(HttpContext context)
    {
        var parameters = new QueryParameters(context.Request.Query);
        if (parameters.Problem() is { } problem)
            return problem;
        var (yaml, fault) = await ReadAsync(context);
        if (yaml is null)
            return fault!;
        var rules = RuleSet.Parse(yaml, FileName);
        if (!rules.IsValid)
            return Refusal(rules.Errors);
        return TypedResults.Json(new RulesAreValid(true, RuleWarnings.Of(rules.RuleSet) is { Count: > 0 } warnings ? warnings : null), QueryJsonContext.Default.RulesAreValid);
    }

    /// <summary>By name and rather than JSON: a wildcard means JSON.</summary>
    private static bool WantsYaml(HttpRequest request) =>
        MediaTypeHeaderValue.TryParseList(request.Headers.Accept, out var accepted)
        && accepted.Where(a => a.Quality is not 0).OrderByDescending(a => a.Quality ?? 1).Select(a => a.MediaType.ToString().ToLowerInvariant()).FirstOrDefault(t => t is YamlType or "application/json") is YamlType;

    private static async Task<(string? Yaml, IResult? Fault)> ReadAsync(HttpContext context)
    {
        if (!MediaTypeHeaderValue.TryParse(context.Request.ContentType, out var type) || !type.MediaType.Equals(YamlType, StringComparison.OrdinalIgnoreCase))
            return (null, TypedResults.Problem($"Send the rules as {YamlType}.", statusCode: 415, title: "Unsupported media type"));
        var (bytes, fault) = await RequestBody.ReadAsync(context.Request, MaxBytes, context.RequestAborted);
        if (bytes is null)
            return (null, fault);
        if (!Utf8.IsValid(bytes) || bytes.AsSpan().Contains((byte)0))
            return (null, Refusal([new(FileName, 1, null, "The rules are not UTF-8 text.")]));
        return (Encoding.UTF8.GetString(bytes.AsSpan(bytes.AsSpan().StartsWith("\uFEFF"u8) ? 3 : 0)), null);
    }

    private static async Task LearnAsync(RuleHistory history, NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await foreach (var version in RuleVersionStore.ReadAfterAsync(connection, history.Newest, cancellationToken))
            history.Add(version.Version, version.Yaml);
    }

    private static ProblemHttpResult Refusal(IReadOnlyList<RuleError> errors) => TypedResults.Problem(
        errors.Count == 1 ? "One thing is wrong with the rules; nothing was taken." : $"{errors.Count} things are wrong with the rules; nothing was taken.",
        statusCode: 422,
        title: "Rules not valid",
        extensions: [new("valid", false), new("errors", errors.Select(e => new RuleErrorItem(e.Rule, e.Line, e.Message)).ToArray())]);

    private static RuleVersionItem Item(RuleVersion version, bool active, IEnumerable<RuleActivation> activations) => new(
        version.Version, active, version.CreatedAt, version.CreatedBy, version.Note, version.Yaml,
        [.. activations.Select(a => new RuleActivationItem(a.Partition.Stream, a.Partition.LogId, a.Partition.PartitionId, a.FromOffset))]);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Version {Version} of the rules, put in by {By}: {Warning}")]
    private static partial void LogWarning(ILogger logger, long version, string by, string warning);
}
