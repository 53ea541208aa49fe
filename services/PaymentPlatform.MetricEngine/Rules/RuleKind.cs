namespace PaymentPlatform.MetricEngine.Rules;

/// <summary>How a rule works; follows from the keys that it has.</summary>
public enum RuleKind
{
    /// <summary>A hit for each matching event.</summary>
    Event,

    /// <summary>Additive buckets by group and tumbling window.</summary>
    Window,

    /// <summary>Computed from window rules when it is read.</summary>
    Derived,

    /// <summary>A hit when a key's count or sum within a sliding window reaches a threshold.</summary>
    Sliding,

    /// <summary>A hit for each matching event that no event of its key precedes.</summary>
    RequiresEarlier,

    /// <summary>A hit for each event that follows a matching one of its key.</summary>
    FollowedBy,
}
