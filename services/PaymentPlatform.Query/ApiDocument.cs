using System.Globalization;
using System.Text.Json.Nodes;

namespace PaymentPlatform.Query;

/// <summary>
/// The OpenAPI document: <c>openapi.json</c> with the examples of <c>examples.json</c> put in. There, <c>schemas</c> has an example by schema, <c>problems</c> one by status, <c>parameters</c> one by name;
/// <c>operations</c> has, by method and path, a description and what else the request and the answer need, by media type.
/// </summary>
internal static class ApiDocument
{
    public static byte[] Build(byte[] document, byte[] examples)
    {
        var api = JsonNode.Parse(document)!.AsObject();
        var source = JsonNode.Parse(examples)!.AsObject();
        foreach (var (path, operations) in api["paths"]!.AsObject())
        {
            foreach (var (method, operation) in operations!.AsObject())
                Complete(operation!.AsObject(), source, source["operations"]![$"{method.ToUpperInvariant()} {path}"] as JsonObject ?? []);
        }

        return System.Text.Encoding.UTF8.GetBytes(api.ToJsonString(new() { Encoder = EventJson.WriterOptions.Encoder }));
    }

    /// <summary>The document with the address that it was asked for at, so that examples name a host.</summary>
    public static byte[] At(string address, byte[] document) =>
        [.. System.Text.Encoding.UTF8.GetBytes($"{{\"servers\":{new JsonArray(new JsonObject([new("url", address)])).ToJsonString()},"), .. document.AsSpan(1)];

    private static void Complete(JsonObject operation, JsonObject source, JsonObject own)
    {
        if (operation["description"] is null && own["description"] is { } description)
            operation["description"] = description.DeepClone();
        foreach (var parameter in operation["parameters"] as JsonArray ?? [])
        {
            if (parameter!["example"] is null && source["parameters"]![(string)parameter["name"]!] is { } example)
                parameter["example"] = example.DeepClone();
        }

        Exemplify(operation["requestBody"]?["content"], source, own["request"], "");
        foreach (var (status, response) in operation["responses"]!.AsObject())
            Exemplify(response!["content"], source, status.StartsWith('2') ? own["response"] : null, status);
    }

    private static void Exemplify(JsonNode? content, JsonObject source, JsonNode? own, string status)
    {
        foreach (var (type, media) in content?.AsObject() ?? [])
        {
            if (media!["example"] is null && (own?[type]?.DeepClone() ?? Example(media["schema"], source, status)) is { } example)
                media["example"] = example;
        }
    }

    /// <summary>With the type that answers of this status have.</summary>
    private static JsonObject Problem(int status, JsonObject members) => new(
        [new("type", TypedResults.Problem(statusCode: status).ProblemDetails.Type), new("status", status), .. members.ToList().Select(m => new KeyValuePair<string, JsonNode?>(m.Key, m.Value?.DeepClone()))]);

    private static JsonNode? Example(JsonNode? schema, JsonObject source, string status)
    {
        if (((string?)schema?["$ref"])?.Split('/')[^1] is { } name)
        {
            return name == "Problem" && source["problems"]![status]?.DeepClone() is JsonObject problem
                ? Problem(int.Parse(status, CultureInfo.InvariantCulture), problem)
                : source["schemas"]![name]?.DeepClone();
        }

        if (schema?["oneOf"] is JsonArray choices)
            return Example(choices[0], source, status);
        // A page.
        return schema?["properties"] is JsonObject members && members["items"]?["items"] is { } item && Example(item, source, status) is { } example
            ? new JsonObject(members.Select(m => new KeyValuePair<string, JsonNode?>(m.Key, m.Key == "items" ? new JsonArray(example) : Example(m.Value, source, status))))
            : null;
    }
}
