using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Http.HttpResults;

namespace PaymentPlatform.Query;

/// <summary>Reads the members of a JSON object in a request's body and collects what is wrong with them, as <see cref="QueryParameters"/> does for the query string: an unknown member is an error too. A null stands for a member that is not there. Texts are well-formed: <see cref="RequestBody.ReadObjectAsync"/> refuses others.</summary>
internal sealed class JsonMembers : RequestValues
{
    private readonly string _path;
    private readonly Dictionary<string, string[]> _errors;
    private readonly Dictionary<string, JsonElement> _members = new(StringComparer.Ordinal);
    private readonly HashSet<string> _known = new(StringComparer.Ordinal);
    private readonly List<JsonMembers> _inner = [];

    public JsonMembers(JsonElement body)
        : this(body, "", [])
    {
    }

    private JsonMembers(JsonElement body, string path, Dictionary<string, string[]> errors)
    {
        (_path, _errors) = (path, errors);
        foreach (var member in body.EnumerateObject())
        {
            if (!_members.TryAdd(member.Name, member.Value))
                Fail(member.Name, "Give it once.");
        }
    }

    public override string? Text(string name) => Text(name, MaxTextLength);

    /// <param name="maxLength">Characters.</param>
    public string? Text(string name, int maxLength, bool mayBeEmpty = false)
    {
        if (Find(name) is not { } value)
            return null;
        if (value.ValueKind != JsonValueKind.String)
            return Fail(name, "Expected a text.");
        var text = value.GetString()!;
        return (text.Length == 0 && !mayBeEmpty) || text.Length > maxLength
            ? Fail(name, text.Length == 0 ? "It is empty. Leave it out, or give it a value." : $"At most {maxLength} characters.")
            : text;
    }

    /// <summary>Null when absent, empty when it is wrong.</summary>
    public string[]? Texts(string name, int maxCount)
    {
        if (Find(name) is not { } value)
            return null;
        if (value.ValueKind == JsonValueKind.Array && value.GetArrayLength() is > 0 and var count && count <= maxCount && value.EnumerateArray().All(t => t.ValueKind == JsonValueKind.String))
            return [.. value.EnumerateArray().Select(t => t.GetString()!)];
        Fail(name, $"Expected 1 to {maxCount} texts.");
        return [];
    }

    /// <param name="option">Where the largest number is set; null where it is not.</param>
    public long Integer(string name, long defaultValue, long min, long max, string? option = null)
    {
        if (Find(name) is not { } value)
            return defaultValue;
        if (value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var number) && number >= min && number <= max)
            return number;
        Fail(name, $"Expected a whole number from {min} to {max}{(option is null ? "" : $" ({option})")}.");
        return defaultValue;
    }

    /// <summary>Null when absent.</summary>
    public double? Number(string name, double min, double max)
    {
        if (Find(name) is not { } value)
            return null;
        if (value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number) && number >= min && number <= max)
            return number;
        Fail(name, string.Create(CultureInfo.InvariantCulture, $"Expected a number from {min} to {max}."));
        return null;
    }

    /// <summary>False when absent.</summary>
    public bool Boolean(string name)
    {
        if (Find(name) is not { } value)
            return false;
        if (value.ValueKind is not (JsonValueKind.True or JsonValueKind.False))
            Fail(name, "Expected true or false.");
        return value.ValueKind == JsonValueKind.True;
    }

    /// <summary>The members of an object; none when absent.</summary>
    public JsonMembers Object(string name)
    {
        var value = Find(name);
        if (value is { ValueKind: not JsonValueKind.Object })
            Fail(name, "Expected an object.");
        using var empty = JsonDocument.Parse("{}");
        var members = new JsonMembers(value is { ValueKind: JsonValueKind.Object } given ? given : empty.RootElement, $"{_path}{name}.", _errors);
        _inner.Add(members);
        return members;
    }

    /// <summary>An object whose members somebody else reads, and fails; null when absent.</summary>
    public JsonElement? Whole(string name)
    {
        if (Find(name) is not { } value)
            return null;
        if (value.ValueKind == JsonValueKind.Object)
            return value;
        Fail(name, "Expected an object.");
        return null;
    }

    public override string? Fail(string name, string message)
    {
        _errors.TryAdd(_path + name, [message]);
        return null;
    }

    /// <summary>Null when all is well. To be called on the outermost object, after all members have been read.</summary>
    public ValidationProblem? Problem()
    {
        FailUnknown();
        return _errors.Count == 0 ? null : TypedResults.ValidationProblem(_errors, detail: string.Join(" ", _errors.Select(e => $"{e.Key}: {e.Value[0]}")), title: "Bad request");
    }

    private void FailUnknown()
    {
        foreach (var name in _members.Keys.Where(name => !_known.Contains(name)))
            Fail(name, $"There is no such member here. Known: {string.Join(", ", _known)}.");
        foreach (var inner in _inner)
            inner.FailUnknown();
    }

    private JsonElement? Find(string name)
    {
        _known.Add(name);
        return _members.TryGetValue(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;
    }
}
