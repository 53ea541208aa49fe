using System.ComponentModel.DataAnnotations;

namespace PaymentPlatform.AppHost;

/// <summary>How large a service is: processes on a developer's machine, replicas of a container app in Azure.</summary>
internal sealed class ServiceSize : IValidatableObject
{
    /// <summary>At least so many. Consumers need one, or nothing is read while the lag is not looked at.</summary>
    [Range(1, 300)]
    public int MinReplicas { get; set; } = 1;

    [Range(1, 300)]
    public int MaxReplicas { get; set; } = 1;

    /// <summary>Cores; Memory must be twice as many GiB on the consumption plan.</summary>
    [AllowedValues(0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 1.75, 2.0, 3.0, 4.0)]
    public double Cpu { get; set; } = 0.5;

    [Required, RegularExpression("^[0-9]+(\\.5)?Gi$", ErrorMessage = "must be like 0.5Gi, 1Gi or 2Gi.")]
    public string Memory { get; set; } = "1Gi";

    /// <summary>Requests at once for which there is one more replica; of services that people and clients call.</summary>
    [Range(1, 1000)]
    public int ConcurrentRequests { get; set; } = 50;

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (MinReplicas > MaxReplicas)
            yield return new($"{MinReplicas} is more than MaxReplicas ({MaxReplicas}).", [nameof(MinReplicas)]);
        if (!string.Equals(Memory, FormattableString.Invariant($"{Cpu * 2:0.##}Gi"), StringComparison.Ordinal))
            yield return new($"must be {FormattableString.Invariant($"{Cpu * 2:0.##}Gi")} for {FormattableString.Invariant($"{Cpu:0.##}")} cores.", [nameof(Memory)]);
    }
}
