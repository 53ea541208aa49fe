using System.Diagnostics.Metrics;
using Microsoft.Extensions.Hosting;

namespace PaymentPlatform.ServiceDefaults.Access;

/// <summary>Instruments of the door.</summary>
internal sealed class AccessTelemetry(IMeterFactory meters)
{
    private readonly Counter<long> _refusals = meters.Create($"{ServiceDefaultsExtensions.TelemetryPrefix}.Access")
        .CreateCounter<long>("access.refusals", "{request}", "Requests refused at the door, by status and needed role");

    public void Refused(int status, AccessRole? role) => _refusals.Add(1, new("http.response.status_code", status), new("access.role", role?.Name() ?? "none"));
}
