namespace PaymentPlatform.Streaming.Kafka;

/// <summary>What an Event Hubs connection string means to a Kafka client.</summary>
internal static class EventHubsConnectionString
{
    private const int Port = 9093;
    private const int EmulatorPort = 9092;

    public static bool Is(string text) => text.Contains("Endpoint=sb://", StringComparison.OrdinalIgnoreCase);

    /// <returns>librdkafka's settings.</returns>
    /// <exception cref="FormatException">A part is missing; the message never holds the key.</exception>
    public static Dictionary<string, string> ToSettings(string text)
    {
        text = text.Trim();
        var parts = text.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            .Select(p => p.Split('=', 2))
            .Where(p => p.Length == 2)
            .ToLookup(p => p[0], p => p[1], StringComparer.OrdinalIgnoreCase);
        if (!Uri.TryCreate(parts["Endpoint"].FirstOrDefault(), UriKind.Absolute, out var endpoint) || endpoint.Host.Length == 0)
            throw new FormatException("its Endpoint is not sb://NAMESPACE.servicebus.windows.net/");
        foreach (var needed in (ReadOnlySpan<string>)["SharedAccessKeyName", "SharedAccessKey"])
        {
            if (string.IsNullOrEmpty(parts[needed].FirstOrDefault()) && !parts.Contains("SharedAccessSignature"))
                throw new FormatException($"its {needed} is missing");
        }

        var emulator = bool.TryParse(parts["UseDevelopmentEmulator"].FirstOrDefault(), out var flag) && flag;
        return new()
        {
            ["bootstrap.servers"] = $"{endpoint.Host}:{(emulator ? EmulatorPort : Port)}",
            ["security.protocol"] = emulator ? "SASL_PLAINTEXT" : "SASL_SSL",
            ["sasl.mechanism"] = "PLAIN",
            ["sasl.username"] = "$ConnectionString",
            ["sasl.password"] = text,
            // Event Hubs takes gzip only, and that not in every tier.
            ["compression.type"] = "none",
            // Its load balancer drops what is idle for 4 minutes.
            ["socket.keepalive.enable"] = "true",
            ["metadata.max.age.ms"] = "180000",
            ["connections.max.idle.ms"] = "180000",
            // A connection with a larger request (1,046,528 bytes) is closed.
            ["message.max.bytes"] = "1000000",
            ["batch.size"] = "1000000",
            ["socket.timeout.ms"] = "60000",
            ["request.timeout.ms"] = "60000",
            ["session.timeout.ms"] = "30000",
            ["heartbeat.interval.ms"] = "3000",
        };
    }
}
