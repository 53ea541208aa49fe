namespace PaymentPlatform.MetricEngine.Rules;

/// <summary>All keys of a rule file; rules.schema.json has the same.</summary>
internal static class RuleFileKeys
{
    public static readonly string[] File = ["allowed_lateness", "lists", "max_keys", "rules", "thresholds"];

    public static readonly string[] Rule =
    [
        "condition", "description", "enabled", "expression", "field", "followed_by", "group_by", "matching", "metric_type", "name", "requires_earlier", "sliding", "version", "window",
    ];

    public static readonly string[] Sliding = ["at_least", "key", "within"];

    public static readonly string[] RequiresEarlier = ["condition", "key", "within"];

    public static readonly string[] FollowedBy = ["condition", "differs", "key", "within"];
}
